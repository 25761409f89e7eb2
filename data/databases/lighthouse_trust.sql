-- A heritage trust that looks after lighthouses, their former keepers, repairs and visitor counts.
CREATE TABLE region (
  id INTEGER PRIMARY KEY,
  Official_Name TEXT,
  Coast TEXT,
  Warden TEXT
);
CREATE TABLE lighthouse (
  id INTEGER PRIMARY KEY,
  Name TEXT,
  Region_ID INTEGER REFERENCES region(id),
  Built_Year INTEGER,
  Height_m REAL,
  Range_nm INTEGER,
  Status TEXT
);
CREATE TABLE keeper (
  id INTEGER PRIMARY KEY,
  Name TEXT,
  Lighthouse_ID INTEGER REFERENCES lighthouse(id),
  Start_Year INTEGER,
  End_Year INTEGER
);
CREATE TABLE repair (
  id INTEGER PRIMARY KEY,
  Lighthouse_ID INTEGER REFERENCES lighthouse(id),
  Kind TEXT,
  Done_On TEXT,
  Cost INTEGER
);
CREATE TABLE visit_count (
  Lighthouse_ID INTEGER REFERENCES lighthouse(id),
  Year INTEGER,
  Visitors INTEGER,
  Ticket_Price REAL,
  PRIMARY KEY (Lighthouse_ID, Year)
);
INSERT INTO region VALUES
(1,'North Skerries','north','Ewan Tulloch'),
(2,'Carrow Sound','west','Moira Keane'),
(3,'Gull Islands','west','Ewan Tulloch'),
(4,'Saltmarsh Bay','east','Piers Aldous'),
(5,'Stone Head','south','Wenna Rowe'),
(6,'Hollow Firth','north',NULL),
(7,'Amber Coast','east','Piers Aldous'),
(8,'Merrow Point','south','Wenna Rowe');
INSERT INTO lighthouse VALUES
(1,'Black Tor Light',1,1854,31.5,22,'active'),
(2,'Seal Rock',1,1879,18.0,14,'automatic'),
(3,'Carrow High',2,1822,42.6,24,'active'),
(4,'Carrow Low',2,1822,12.8,9,'closed'),
(5,'Gannet Stack',3,1901,27.3,19,'automatic'),
(6,'Marsh End',4,1866,15.2,11,'museum'),
(7,'Barley Spit',4,1935,20.4,16,'automatic'),
(8,'Stone Head Light',5,1791,36.9,26,'museum'),
(9,'Little Nab',5,1912,9.5,8,'closed'),
(10,'Firth Mouth',6,1847,24.0,17,'automatic'),
(11,'Amber Beacon',7,1958,33.1,21,'active'),
(12,'Three Sisters',3,1888,29.7,20,'museum');
INSERT INTO keeper VALUES
(1,'Angus Muir',1,1931,1958),
(2,'Tom Isbister',1,1958,1984),
(3,'Elsie Muir',2,1946,1962),
(4,'Patrick Foyle',3,1919,1947),
(5,'Sean Keane',3,1947,1979),
(6,'Dermot Walsh',4,1925,1951),
(7,'Callum Rae',5,1938,1971),
(8,'Edith Pask',6,1940,1945),
(9,'George Pask',6,1922,1940),
(10,'William Rowe',8,1905,1937),
(11,'Jenna Rowe',8,1937,1969),
(12,'Harold Vane',11,1958,1990),
(13,'Ruth Vane',11,1990,NULL),
(14,'Hector Munro',12,1911,1934),
(15,'Iain Sim',3,1979,NULL);
INSERT INTO repair VALUES
(1,1,'lamp','2012-05-18',14200),
(2,1,'roof','2019-08-02',38500),
(3,2,'paint','2016-06-11',9100),
(4,3,'stonework','2010-09-27',126000),
(5,3,'lamp','2018-04-09',17750),
(6,5,'solar panel','2020-07-15',52300),
(7,6,'stairs','2014-03-21',21900),
(8,6,'paint','2021-05-30',8400),
(9,7,'solar panel','2022-10-06',47800),
(10,8,'stonework','2011-07-01',210500),
(11,8,'roof','2017-09-12',64000),
(12,8,'stairs','2023-02-24',33600),
(13,10,'lamp','2015-11-19',12650),
(14,11,'paint','2020-05-05',15300),
(15,12,'roof','2022-06-28',NULL),
(16,9,'stonework','2008-04-14',27200);
INSERT INTO visit_count VALUES
(1,2021,2140,5.0),(1,2022,2985,5.5),(1,2023,3310,6.0),
(3,2021,5420,7.0),(3,2022,7105,7.5),(3,2023,6890,8.0),
(6,2021,8800,4.0),(6,2022,10250,4.5),(6,2023,11975,4.5),
(8,2021,15300,9.0),(8,2022,21460,9.5),(8,2023,24015,10.0),
(11,2022,1870,3.0),(11,2023,2055,3.5),
(12,2021,4630,6.5),(12,2022,NULL,6.5),(12,2023,5240,7.0);
