-- Investors, their accounts, the shares they trade and yearly dividends of the companies.
CREATE TABLE investor (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  age INTEGER,
  country TEXT,
  risk TEXT
);
CREATE TABLE account (
  id INTEGER PRIMARY KEY,
  investor_id INTEGER NOT NULL REFERENCES investor(id),
  type TEXT,
  opened TEXT,
  cash REAL
);
CREATE TABLE company (
  ticker TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  sector TEXT,
  country TEXT,
  employees INTEGER,
  price REAL
);
CREATE TABLE dividend (
  ticker TEXT REFERENCES company(ticker),
  year INTEGER,
  amount REAL,
  PRIMARY KEY (ticker, year)
);
CREATE TABLE trade (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES account(id),
  ticker TEXT NOT NULL REFERENCES company(ticker),
  side TEXT,
  date TEXT,
  shares INTEGER,
  price REAL
);
INSERT INTO investor VALUES
(1,'Helena Strand',46,'Denmark','medium'),(2,'Marco Pirelli',33,'Italy','high'),
(3,'Janet Oakes',68,'UK','low'),(4,'Soren Bach',57,'Denmark','low'),
(5,'Amira Haddad',29,'UK','high'),(6,'Ugo Bassani',51,'Italy','medium'),
(7,'Lewis Crowther',40,'UK','medium'),(8,'Kirsten Dahl',62,'Denmark',NULL),
(9,'Paola Greco',37,'Italy','high');
INSERT INTO account VALUES
(1,1,'pension','2012-05-14',4120.5),(2,1,'trading','2018-02-01',870.0),
(3,2,'trading','2019-08-23',1535.25),(4,3,'savings','2005-11-09',12640.0),
(5,4,'pension','2009-03-30',9075.0),(6,5,'trading','2021-01-12',310.8),
(7,6,'savings','2014-07-18',5260.0),(8,7,'trading','2016-10-05',2480.0),
(9,7,'pension','2016-10-05',7715.4),(10,8,'savings','2020-04-27',640.0),
(11,9,'trading','2022-06-06',95.6);
INSERT INTO company VALUES
('NRD','Nordwind','energy','Denmark',5400,48.2),
('BLX','Balux','technology','UK',1850,132.7),
('FRM','Fermo Foods','food','Italy',9200,21.45),
('TRS','Tresco Bank','finance','UK',15700,9.36),
('HVN','Havn Shipping','transport','Denmark',7100,77.9),
('CTA','Cartaria','materials','Italy',3300,14.1),
('QBT','Qubit Arts','technology','UK',420,264.0),
('SLV','Solveig Solar','energy','Denmark',960,35.55),
('VTR','Vetro','materials','Italy',2750,18.8),
('GRN','Granary','food','UK',6050,40.3);
INSERT INTO dividend VALUES
('NRD',2021,1.9),('NRD',2022,2.15),('FRM',2021,0.82),('FRM',2022,0.88),('TRS',2021,0.41),
('TRS',2022,0.36),('HVN',2021,4.6),('HVN',2022,6.25),('CTA',2022,0.55),('VTR',2021,0.7),
('GRN',2021,1.3),('GRN',2022,1.42),('BLX',2022,0.95);
INSERT INTO trade VALUES
(1,1,'NRD','buy','2022-01-10',120,41.3),(2,1,'FRM','buy','2022-01-10',300,19.8),
(3,2,'BLX','buy','2022-02-03',25,118.4),(4,3,'QBT','buy','2022-02-17',14,221.0),
(5,3,'BLX','buy','2022-03-01',40,121.9),(6,4,'TRS','buy','2022-03-15',900,10.2),
(7,4,'GRN','buy','2022-03-29',210,37.6),(8,5,'HVN','buy','2022-04-12',85,69.5),
(9,6,'SLV','buy','2022-04-26',60,29.75),(10,6,'QBT','buy','2022-05-10',3,240.5),
(11,7,'VTR','buy','2022-05-24',250,17.15),(12,7,'CTA','buy','2022-06-07',180,15.9),
(13,8,'NRD','buy','2022-06-21',70,44.6),(14,3,'QBT','sell','2022-07-05',8,258.0),
(15,9,'TRS','buy','2022-07-19',1500,9.7),(16,8,'BLX','buy','2022-08-02',18,127.3),
(17,1,'FRM','sell','2022-09-13',100,22.1),(18,4,'TRS','sell','2022-09-27',400,9.05),
(19,6,'SLV','sell','2022-10-11',35,36.8),(20,5,'NRD','buy','2022-10-25',95,46.0),
(21,11,'QBT','buy','2022-11-08',2,249.9),(22,2,'HVN','buy','2022-11-22',11,75.2),
(23,8,'NRD','sell','2022-12-06',30,47.7);
