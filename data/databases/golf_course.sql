-- A golf club with its courses and holes, its members and the rounds they played.
CREATE TABLE Course (
  CourseId INTEGER PRIMARY KEY,
  CourseName TEXT NOT NULL,
  Style TEXT,
  Par INTEGER,
  LengthMetres INTEGER
);
CREATE TABLE Hole (
  HoleId INTEGER PRIMARY KEY,
  CourseId INTEGER NOT NULL,
  HoleNo INTEGER,
  Par INTEGER,
  Metres INTEGER,
  Hazard TEXT,
  FOREIGN KEY (CourseId) REFERENCES Course(CourseId)
);
CREATE TABLE Member (
  MemberId INTEGER PRIMARY KEY,
  FirstName TEXT,
  LastName TEXT NOT NULL,
  BirthYear INTEGER,
  Handicap REAL,
  Category TEXT,
  SponsorId INTEGER,
  FOREIGN KEY (SponsorId) REFERENCES Member(MemberId)
);
CREATE TABLE Round (
  RoundId INTEGER PRIMARY KEY,
  MemberId INTEGER NOT NULL,
  CourseId INTEGER NOT NULL,
  PlayedOn TEXT,
  Strokes INTEGER,
  Putts INTEGER,
  Weather TEXT,
  FOREIGN KEY (MemberId) REFERENCES Member(MemberId),
  FOREIGN KEY (CourseId) REFERENCES Course(CourseId)
);
INSERT INTO Course VALUES
(1,'Old Links','links',71,5920),(2,'Heather','heathland',72,6185),(3,'Short Nine','parkland',29,1740),(4,'Valley','parkland',70,5610),(5,'Dunes','links',73,6410);
INSERT INTO Hole VALUES
(1,1,1,4,352,'bunker'),(2,1,2,3,158,'water'),(3,1,3,5,487,'bunker'),(4,1,4,4,391,NULL),(5,2,1,4,366,'trees'),(6,2,2,5,503,'trees'),(7,2,3,3,171,'bunker'),(8,2,4,4,408,'water'),
(9,3,1,3,124,NULL),(10,3,2,4,265,'trees'),(11,3,3,3,109,'bunker'),(12,4,1,4,339,'water'),(13,4,2,4,377,'trees'),(14,4,3,3,146,'water'),(15,5,1,4,412,'bunker'),(16,5,2,5,528,'bunker'),(17,5,3,3,184,NULL);
INSERT INTO Member VALUES
(1,'Alastair','Cobham',1949,18.4,'senior',NULL),(2,'Jean','Mathers',1956,22.1,'senior',1),(3,'Rohan','Pillai',1978,7.6,'full',1),(4,'Clare','Duffy',1983,11.3,'full',3),(5,'Stuart','Elgin',1971,14.9,'full',2),(6,'Mads','Riis',1990,2.8,'full',3),
(7,'Beth','Younger',2007,16.2,'junior',4),(8,'Luca','Sand',2009,24.7,'junior',5),(9,'Harold','Niven',1944,27.5,'senior',NULL),(10,'Noriko','Abe',1987,9.1,'weekday',4),(11,'Tim','Corrie',1966,19.8,'weekday',NULL),(12,'Edie','Blanch',2010,NULL,'junior',7),(13,'Marcel','Ott',1962,13.5,'full',NULL),(14,'Gita','Varma',1994,21.4,'weekday',10);
INSERT INTO Round VALUES
(1,1,1,'2024-03-17',94,35,'windy'),(2,3,1,'2024-03-17',80,31,'windy'),(3,6,5,'2024-03-24',76,29,'windy'),(4,4,2,'2024-04-06',85,33,'dry'),(5,5,2,'2024-04-06',89,36,'dry'),(6,2,4,'2024-04-13',97,38,'rain'),(7,10,4,'2024-04-18',81,30,'dry'),
(8,3,2,'2024-04-28',78,32,'rain'),(9,7,3,'2024-05-04',36,17,'dry'),(10,8,3,'2024-05-04',45,21,'dry'),(11,6,1,'2024-05-12',70,28,'dry'),(12,6,2,'2024-05-19',73,30,'rain'),(13,9,3,'2024-05-22',48,20,'dry'),(14,1,4,'2024-05-26',91,34,'dry'),
(15,4,1,'2024-06-02',83,31,'windy'),(16,11,4,'2024-06-13',92,37,'rain'),(17,7,1,'2024-06-22',90,34,'dry'),(18,5,5,'2024-06-30',95,39,'windy'),(19,3,5,'2024-07-07',84,NULL,'windy'),(20,10,2,'2024-07-11',82,33,'dry'),(21,2,1,'2024-07-21',99,40,'rain'),(22,6,4,'2024-08-04',68,27,NULL),(23,13,5,'2024-08-11',88,35,'windy'),(24,13,2,'2024-08-25',86,32,'dry');
