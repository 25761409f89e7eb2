-- Stone quarries, the blasts and machines in their pits, and deliveries to customers.
CREATE TABLE quarry (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  region TEXT,
  stone TEXT,
  depth REAL,
  opened INTEGER
);
CREATE TABLE machine (
  id INTEGER PRIMARY KEY,
  quarry_id INTEGER REFERENCES quarry(id),
  kind TEXT,
  weight REAL,
  year INTEGER
);
CREATE TABLE blast (
  id INTEGER PRIMARY KEY,
  quarry_id INTEGER NOT NULL REFERENCES quarry(id),
  date TEXT,
  charge_kg REAL,
  holes INTEGER,
  rock_tonnes REAL
);
CREATE TABLE customer (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  industry TEXT,
  town TEXT
);
CREATE TABLE delivery (
  id INTEGER PRIMARY KEY,
  quarry_id INTEGER NOT NULL REFERENCES quarry(id),
  customer_id INTEGER NOT NULL REFERENCES customer(id),
  date TEXT,
  tonnes REAL,
  price REAL
);
INSERT INTO quarry VALUES
(1,'Black Scar','North','basalt',62.0,1931),
(2,'Whitcliff','East','limestone',38.5,1958),
(3,'Rook Hill','North','granite',74.2,1912),
(4,'Sandy Pit','South','gravel',17.0,1984),
(5,'Holm End','East','limestone',45.8,1969),
(6,'Fell Top','West','slate',91.3,1887),
(7,'Bracken','South','gravel',21.4,2002),
(8,'Copper Brow','West','granite',NULL,2019);
INSERT INTO machine VALUES
(1,1,'excavator',48.0,2014),(2,1,'dumper',36.5,2010),(3,1,'crusher',61.0,2007),
(4,2,'excavator',33.2,2018),(5,2,'crusher',57.4,2011),(6,3,'drill',19.8,2020),
(7,3,'dumper',41.0,2016),(8,3,'excavator',52.6,2021),(9,4,'loader',24.3,2009),
(10,4,'loader',22.9,2017),(11,5,'drill',18.1,2013),(12,6,'dumper',29.7,1999),
(13,7,'loader',26.0,2022),(14,NULL,'excavator',30.5,2003);
INSERT INTO blast VALUES
(1,1,'2022-02-10',820.0,24,6100.0),
(2,3,'2022-02-24',1150.0,31,8450.0),
(3,2,'2022-03-09',540.5,18,5230.0),
(4,1,'2022-04-21',905.0,27,6720.0),
(5,5,'2022-05-05',610.0,20,5880.0),
(6,3,'2022-06-16',1275.0,36,9310.0),
(7,6,'2022-07-07',210.0,9,1140.0),
(8,2,'2022-08-18',498.0,16,4675.0),
(9,1,'2022-09-29',760.5,22,NULL),
(10,3,'2022-10-13',1090.0,29,7985.0),
(11,5,'2022-11-03',655.0,21,6015.0),
(12,6,'2022-11-24',185.5,8,960.0);
INSERT INTO customer VALUES
(1,'Morrow Roads','road building','Stanby'),
(2,'Keld Concrete','concrete','Stanby'),
(3,'Arch Masonry','masonry','Orton'),
(4,'Valley Rail','railway','Hexmoor'),
(5,'Tern Homes','housing','Orton'),
(6,'Bluestone Paving','road building','Carrick'),
(7,'Lime Works','concrete','Hexmoor'),
(8,'Roofing Hall','housing','Carrick'),
(9,'Pier and Dock','masonry','Seagate'),
(10,'Garden Stone',NULL,'Seagate');
INSERT INTO delivery VALUES
(1,1,1,'2022-03-01',420.0,7140.0),(2,1,4,'2022-03-15',880.5,14530.0),
(3,3,4,'2022-03-22',1310.0,24900.0),(4,2,7,'2022-04-05',965.0,10130.0),
(5,4,2,'2022-04-12',540.0,4860.0),(6,4,5,'2022-05-03',128.4,1220.0),
(7,1,6,'2022-05-17',365.0,6390.0),(8,6,8,'2022-05-31',42.7,9850.0),
(9,5,7,'2022-06-14',790.0,8450.0),(10,3,3,'2022-07-05',96.3,5610.0),
(11,7,2,'2022-07-19',615.0,5720.0),(12,2,2,'2022-08-09',333.0,3760.0),
(13,1,1,'2022-09-06',510.8,8785.0),(14,6,3,'2022-09-20',18.9,4475.0),
(15,4,6,'2022-10-04',274.0,2550.0),(16,3,9,'2022-10-25',702.0,15300.0),
(17,5,2,'2022-11-15',455.5,4990.0),(18,7,5,'2022-12-06',83.0,815.0);
