-- Local council elections in one county: parties, wards, candidates, elections and votes won.
CREATE TABLE party (
  id INTEGER PRIMARY KEY,
  name TEXT,
  colour TEXT,
  founded INTEGER
);
CREATE TABLE ward (
  id INTEGER PRIMARY KEY,
  name TEXT,
  district TEXT,
  electorate INTEGER,
  seats INTEGER
);
CREATE TABLE candidate (
  id INTEGER PRIMARY KEY,
  name TEXT,
  gender TEXT,
  age INTEGER,
  profession TEXT,
  party_id INTEGER,
  FOREIGN KEY (party_id) REFERENCES party(id)
);
CREATE TABLE election (
  id INTEGER PRIMARY KEY,
  ward_id INTEGER,
  year INTEGER,
  turnout REAL,
  spoilt INTEGER,
  FOREIGN KEY (ward_id) REFERENCES ward(id)
);
CREATE TABLE result (
  election_id INTEGER,
  candidate_id INTEGER,
  votes INTEGER,
  elected TEXT,
  PRIMARY KEY (election_id, candidate_id),
  FOREIGN KEY (election_id) REFERENCES election(id),
  FOREIGN KEY (candidate_id) REFERENCES candidate(id)
);
INSERT INTO party VALUES
(1,'Civic Union','blue',1924),
(2,'Fair Share','red',1908),
(3,'Green Valley','green',1989),
(4,'Market Liberals','yellow',1961),
(5,'Our County','purple',2012);
INSERT INTO ward VALUES
(1,'Abbey','North',6120,2),
(2,'Brookside','North',4875,1),
(3,'Castle','Central',7340,2),
(4,'Docklands','South',8015,3),
(5,'Eastfield','South',5230,1),
(6,'Fairmile','Central',3960,1),
(7,'Grange','North',4410,1);
INSERT INTO candidate VALUES
(1,'Doreen Platt','F',61,'teacher',1),
(2,'Ifor Bevan','M',48,'farmer',1),
(3,'Shazia Malik','F',37,'lawyer',2),
(4,'Ken Ruddock','M',66,'retired',2),
(5,'Lotte Hagen','F',29,'nurse',3),
(6,'Barney Flint','M',42,'teacher',3),
(7,'Cora Whistler','F',54,'shopkeeper',4),
(8,'Dermot Kane','M',35,'lawyer',4),
(9,'Gavin Sykes','M',58,'farmer',5),
(10,'Ursula Penn','F',45,'nurse',NULL),
(11,'Nikhil Desai','M',31,'engineer',2),
(12,'Heidi Crouch','F',70,'retired',1),
(13,'Brent Oliver','M',23,'student',3),
(14,'Tamsin Rook','F',NULL,'engineer',5);
INSERT INTO election VALUES
(1,1,2018,38.4,31),
(2,2,2018,41.2,19),
(3,3,2018,35.9,44),
(4,4,2018,29.7,52),
(5,5,2018,33.1,NULL),
(6,1,2022,42.6,27),
(7,3,2022,39.0,36),
(8,4,2022,31.5,61),
(9,5,2022,36.8,22),
(10,6,2022,47.3,14);
INSERT INTO result VALUES
(1,1,1104,'yes'),(1,3,742,'yes'),(1,5,466,'no'),
(2,2,987,'yes'),(2,7,603,'no'),(2,6,391,'no'),
(3,4,1265,'yes'),(3,12,809,'yes'),(3,8,518,'no'),
(4,11,1180,'yes'),(4,9,655,'yes'),(4,13,498,'yes'),
(5,10,921,'yes'),(5,7,772,'no'),
(6,1,1010,'yes'),(6,5,958,'yes'),(6,3,617,'no'),
(7,4,890,'yes'),(7,6,1093,'yes'),(7,8,861,'no'),
(8,11,1342,'yes'),(8,14,706,'yes'),(8,9,429,'yes'),
(9,10,1048,'yes'),(9,7,845,'no'),
(10,2,754,'no'),(10,13,1096,'yes');
