-- Railway stations of a country, the operators and the services that call at them.
CREATE TABLE region (
  Region_ID INTEGER PRIMARY KEY,
  Name TEXT NOT NULL,
  Official_Name TEXT,
  Population INTEGER,
  Area REAL
);
CREATE TABLE station (
  Station_ID INTEGER PRIMARY KEY,
  Name TEXT NOT NULL,
  Region_ID INTEGER REFERENCES region(Region_ID),
  Platforms INTEGER,
  Opened INTEGER,
  Annual_Passengers REAL,
  Category TEXT
);
CREATE TABLE operator (
  Operator_ID INTEGER PRIMARY KEY,
  Name TEXT NOT NULL,
  Ownership TEXT,
  Founded INTEGER
);
CREATE TABLE train (
  Train_ID INTEGER PRIMARY KEY,
  Train_Number TEXT,
  Name TEXT,
  Operator_ID INTEGER REFERENCES operator(Operator_ID),
  Origin_ID INTEGER REFERENCES station(Station_ID),
  Destination_ID INTEGER REFERENCES station(Station_ID),
  Service TEXT,
  Distance REAL
);
CREATE TABLE train_stop (
  Train_ID INTEGER REFERENCES train(Train_ID),
  Station_ID INTEGER REFERENCES station(Station_ID),
  Stop_Minutes INTEGER,
  PRIMARY KEY (Train_ID, Station_ID)
);
INSERT INTO region VALUES
(1,'Vestmark','County of Vestmark',812000,9140.0),
(2,'Osterlund','Free County of Osterlund',1435000,6725.5),
(3,'Sorvik','County of Sorvik',376000,11860.0),
(4,'Kronby','Capital District of Kronby',2210000,540.8),
(5,'Halden','United Parishes of Halden',198500,15320.0),
(6,'Tarnsey','Island County of Tarnsey',54300,1105.2),
(7,'Norrland','County of Norrland',141700,21480.0),
(8,'Lakeside','Free County of Lakeside',623400,4870.6);
INSERT INTO station VALUES
(1,'Kronby Central',4,22,1871,48.6,'main'),
(2,'Kronby West',4,8,1904,15.2,'main'),
(3,'Lindholm',2,6,1883,7.9,'regional'),
(4,'Ostervik',2,10,1879,12.4,'main'),
(5,'Marby',1,4,1898,2.35,'regional'),
(6,'Vestmark Town',1,7,1889,6.1,'main'),
(7,'Sorvik Harbour',3,5,1912,3.8,'regional'),
(8,'Elva',3,2,1926,0.41,'halt'),
(9,'Halden Pass',5,3,1909,0.87,'regional'),
(10,'Granfoss',5,2,1931,0.22,'halt'),
(11,'Airport',4,4,1998,9.75,'main'),
(12,'Torp',1,1,1954,0.09,'halt'),
(13,'Solberg',2,3,1966,1.6,NULL);
INSERT INTO operator VALUES
(1,'State Rail','public',1920),(2,'Norrline','private',1999),(3,'Coast Express','private',2008),
(4,'Kronby Transit','public',1974),(5,'Halden Railway','cooperative',1907),(6,'Blue Arrow','private',2016),
(7,'Lakes and Fells','cooperative',1953),(8,'Freight Nord','public',1986);
INSERT INTO train VALUES
(1,'IC 11','Skylark',1,1,6,'intercity',312.0),
(2,'IC 24','Lynx',1,1,4,'intercity',187.5),
(3,'R 103',NULL,1,6,5,'regional',64.0),
(4,'N 7','Polar Star',2,1,9,'night',498.2),
(5,'CX 1','Sea Breeze',3,4,7,'intercity',241.0),
(6,'CX 2','Sandpiper',3,7,1,'intercity',405.6),
(7,'K 40',NULL,4,2,11,'local',23.4),
(8,'K 41',NULL,4,11,1,'local',29.1),
(9,'H 5','Stag',5,9,10,'regional',71.8),
(10,'BA 90','Bolt',6,1,4,'intercity',186.0),
(11,'R 110',NULL,1,4,13,'regional',52.7),
(12,'R 121',NULL,1,7,8,'regional',38.5);
INSERT INTO train_stop VALUES
(1,2,3),(1,5,2),(1,3,4),(2,3,2),(2,13,1),(3,12,1),(4,3,5),(4,4,12),
(4,7,8),(5,3,2),(5,8,1),(6,4,6),(6,2,3),(6,3,2),(8,2,2),(9,8,10),
(10,3,1),(11,3,3),(1,12,1),(6,13,1);
