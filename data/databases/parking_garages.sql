-- A city's parking garages with their levels, season permits and single parking sessions.
CREATE TABLE garages (
  garage_id INTEGER PRIMARY KEY,
  garage_name TEXT NOT NULL,
  quarter TEXT,
  opened_year INTEGER,
  hourly_rate REAL
);
CREATE TABLE levels (
  level_id INTEGER PRIMARY KEY,
  garage_id INTEGER NOT NULL REFERENCES garages(garage_id),
  level_number INTEGER,
  space_count INTEGER,
  charger_count INTEGER
);
CREATE TABLE cars (
  plate TEXT PRIMARY KEY,
  make TEXT,
  fuel TEXT,
  owner_name TEXT
);
CREATE TABLE permits (
  permit_id INTEGER PRIMARY KEY,
  plate TEXT NOT NULL REFERENCES cars(plate),
  garage_id INTEGER NOT NULL REFERENCES garages(garage_id),
  valid_from TEXT,
  valid_to TEXT,
  monthly_fee REAL
);
CREATE TABLE sessions (
  session_id INTEGER PRIMARY KEY,
  plate TEXT NOT NULL REFERENCES cars(plate),
  level_id INTEGER NOT NULL REFERENCES levels(level_id),
  session_date TEXT,
  minutes INTEGER,
  paid REAL,
  payment_method TEXT
);
INSERT INTO garages VALUES
(1,'Opera','centre',1994,3.2),
(2,'Stadium','south',2006,1.8),
(3,'Main Station','centre',1987,2.9),
(4,'Clinic','west',2011,2.0),
(5,'River Mall','south',2015,1.5),
(6,'Cathedral','centre',1979,3.6),
(7,'Tech Park','west',2021,1.1),
(8,'Fairground','north',2002,NULL);
INSERT INTO levels VALUES
(1,1,-1,85,4),(2,1,-2,92,0),(3,2,0,210,6),
(4,2,1,195,2),(5,3,-1,140,8),(6,3,0,60,0),
(7,4,0,78,5),(8,5,1,240,12),(9,5,2,255,10),
(10,6,-1,48,1),(11,7,0,160,30),(12,7,1,165,24);
INSERT INTO cars VALUES
('KA 1204','Vexa','petrol','Nils Arndt'),
('KA 3391','Orion','electric','Petra Lohse'),
('LM 0877','Vexa','diesel','Goran Ilic'),
('LM 4410','Tarpan','petrol','Sabine Roth'),
('NO 5526','Orion','hybrid','Hans Ude'),
('NO 7713','Tarpan','electric','Leyla Aksoy'),
('PR 2048','Mistral','diesel','Petra Lohse'),
('PR 6190','Mistral','petrol','Kim Seidel'),
('ST 3005','Orion','electric','Udo Fink'),
('ST 9342','Vexa','hybrid',NULL),
('UV 1471','Tarpan','petrol','Inga Bode');
INSERT INTO permits VALUES
(1,'KA 1204',1,'2023-01-01','2023-12-31',145.0),
(2,'KA 3391',7,'2023-03-01','2024-02-29',52.0),
(3,'LM 0877',2,'2023-04-01','2023-09-30',78.5),
(4,'NO 5526',3,'2023-01-01','2024-06-30',128.0),
(5,'NO 7713',7,'2023-06-01',NULL,49.0),
(6,'PR 6190',5,'2023-02-01','2023-07-31',66.0),
(7,'ST 3005',7,'2023-09-01',NULL,55.0),
(8,'KA 1204',6,'2024-01-01','2024-12-31',172.0),
(9,'LM 4410',4,'2023-05-01','2023-10-31',90.0),
(10,'PR 2048',3,'2024-02-01','2024-07-31',133.0),
(11,'UV 1471',5,'2024-03-01',NULL,69.5),
(12,'LM 0877',2,'2024-04-01','2024-09-30',82.0);
INSERT INTO sessions VALUES
(1,'KA 1204',5,'2024-02-01',95,4.6,'card'),
(2,'KA 3391',1,'2024-02-01',140,7.5,'app'),
(3,'LM 0877',3,'2024-02-03',210,6.3,'cash'),
(4,'LM 4410',10,'2024-02-03',45,2.7,'cash'),
(5,'NO 5526',8,'2024-02-05',180,4.5,'card'),
(6,'NO 7713',8,'2024-02-06',75,1.9,'app'),
(7,'PR 2048',2,'2024-02-08',320,17.1,'card'),
(8,'PR 6190',9,'2024-02-09',60,1.5,'card'),
(9,'ST 3005',5,'2024-02-10',155,7.5,'app'),
(10,'ST 9342',4,'2024-02-10',265,8.0,'card'),
(11,'UV 1471',7,'2024-02-12',110,3.7,'cash'),
(12,'KA 3391',10,'2024-02-14',190,11.4,'app'),
(13,'LM 4410',7,'2024-02-15',35,1.2,'card'),
(14,'NO 5526',1,'2024-02-17',240,12.8,'card'),
(15,'ST 3005',11,'2024-02-19',480,8.8,'app'),
(16,'KA 1204',4,'2024-02-24',200,6.0,'card'),
(17,'PR 6190',6,'2024-02-25',25,1.2,'cash'),
(18,'NO 7713',2,'2024-02-27',130,6.9,'app'),
(19,'ST 9342',9,'2024-03-01',90,2.3,NULL),
(20,'UV 1471',3,'2024-03-02',NULL,NULL,NULL);
