-- A summer jazz festival with its stages, bands, musicians and concerts over several years.
CREATE TABLE stage (
  Stage_ID INTEGER PRIMARY KEY,
  Name TEXT,
  Capacity INTEGER,
  Open_Air TEXT
);
CREATE TABLE band (
  Band_ID INTEGER PRIMARY KEY,
  Name TEXT,
  Country TEXT,
  Style TEXT,
  Founded_Year INTEGER
);
CREATE TABLE musician (
  Musician_ID INTEGER PRIMARY KEY,
  Name TEXT,
  Age INTEGER,
  Instrument TEXT,
  Band_ID INTEGER,
  FOREIGN KEY (Band_ID) REFERENCES band(Band_ID)
);
CREATE TABLE concert (
  Concert_ID INTEGER PRIMARY KEY,
  Band_ID INTEGER,
  Stage_ID INTEGER,
  Year INTEGER,
  Day_Number INTEGER,
  Attendance INTEGER,
  Fee REAL,
  FOREIGN KEY (Band_ID) REFERENCES band(Band_ID),
  FOREIGN KEY (Stage_ID) REFERENCES stage(Stage_ID)
);
INSERT INTO stage VALUES
(1,'Lakeside',4200,'yes'),
(2,'Blue Cellar',180,'no'),
(3,'Town Hall',950,'no'),
(4,'Old Brewery',420,'no'),
(5,'Castle Yard',2300,'yes'),
(6,'Station Tent',700,'yes'),
(7,'Chapel',240,'no'),
(8,'River Barge',120,'yes');
INSERT INTO band VALUES
(1,'Nightjar Quintet','Norway','bebop',1998),
(2,'Copper Street Band','USA','swing',1985),
(3,'Trio Malva','Portugal','cool',2009),
(4,'The Low Lanterns','UK','fusion',2012),
(5,'Harlow Six','USA','bebop',2003),
(6,'Kaja and Friends','Poland','vocal',2016),
(7,'Sahel Groove','Mali','fusion',2007),
(8,'Orkester Nord','Norway','swing',1979),
(9,'Velvet Ash','UK','cool',2019),
(10,'Bayou Brass','USA','swing',1992),
(11,'Lumen Duo','Portugal','vocal',NULL);
INSERT INTO musician VALUES
(1,'Arne Solberg',54,'trumpet',1),
(2,'Liv Haugen',41,'piano',1),
(3,'Dexter Poole',67,'saxophone',2),
(4,'Cleo Banks',38,'vocals',2),
(5,'Rui Tavares',46,'guitar',3),
(6,'Marta Leal',33,'double bass',3),
(7,'Finn Ashdown',29,'drums',4),
(8,'Priya Nair',31,'piano',4),
(9,'Earl Whitlock',59,'trumpet',5),
(10,'Kaja Wrona',36,'vocals',6),
(11,'Olek Zaremba',44,'piano',6),
(12,'Moussa Keita',50,'guitar',7),
(13,'Awa Traore',27,'vocals',7),
(14,'Stein Berg',72,'saxophone',8),
(15,'Tess Marlow',25,'double bass',9),
(16,'Jules Fontenot',62,'drums',10),
(17,'Nico Brandt',48,'saxophone',NULL);
INSERT INTO concert VALUES
(1,1,2,2021,1,175,4000),
(2,2,1,2021,1,3650,12500),
(3,3,7,2021,2,210,2800),
(4,4,4,2021,3,388,3500),
(5,8,5,2021,3,1940,9000),
(6,2,5,2022,1,2120,13000),
(7,5,3,2022,1,870,7600),
(8,6,7,2022,2,232,3100),
(9,7,1,2022,2,3985,10400),
(10,1,4,2022,3,402,4500),
(11,3,8,2022,3,118,2950),
(12,7,1,2023,1,4150,11800),
(13,9,2,2023,1,160,1900),
(14,4,5,2023,2,1725,5200),
(15,10,1,2023,2,3320,14000),
(16,6,3,2023,3,790,4800),
(17,5,4,2023,3,365,8000),
(18,9,7,2024,1,198,2300),
(19,2,1,2024,2,4020,15500),
(20,1,3,2024,2,905,6200),
(21,10,5,2024,3,NULL,13700);
