-- Incidents reported to a city police force, with officers, districts and the persons involved.
CREATE TABLE District (
  DistrictId INTEGER PRIMARY KEY,
  DistrictName TEXT NOT NULL,
  Population INTEGER,
  AreaKm2 REAL
);
CREATE TABLE Officer (
  BadgeNo INTEGER PRIMARY KEY,
  FirstName TEXT,
  LastName TEXT,
  JobGrade TEXT,
  JoinedYear INTEGER,
  DistrictId INTEGER REFERENCES District(DistrictId)
);
CREATE TABLE Person (
  PersonId INTEGER PRIMARY KEY,
  FullName TEXT NOT NULL,
  BirthYear INTEGER,
  Gender TEXT
);
CREATE TABLE Incident (
  IncidentId INTEGER PRIMARY KEY,
  Offence TEXT,
  ReportDate TEXT,
  DistrictId INTEGER REFERENCES District(DistrictId),
  ReportedTo INTEGER REFERENCES Officer(BadgeNo),
  LeadOfficer INTEGER REFERENCES Officer(BadgeNo),
  LossValue REAL,
  Status TEXT
);
CREATE TABLE Involvement (
  IncidentId INTEGER REFERENCES Incident(IncidentId),
  PersonId INTEGER REFERENCES Person(PersonId),
  PartPlayed TEXT,
  PRIMARY KEY (IncidentId, PersonId)
);
INSERT INTO District VALUES
(1,'Northgate',41200,12.4),
(2,'Harbour',18750,7.9),
(3,'Old Town',26300,4.1),
(4,'Millbrook',53980,21.6),
(5,'Airport',6420,33.0),
(6,'Westfield',38110,15.2),
(7,'Hilltop',22640,18.7),
(8,'Saltmarsh',3190,40.5);
INSERT INTO Officer VALUES
(1021,'Nora','Hadley','Sergeant',2004,1),
(1033,'Victor','Paine','Constable',2017,1),
(1040,'Samira','Bolt','Inspector',1998,2),
(1052,'Liam','Trask','Constable',2019,2),
(1067,'Joan','Ekberg','Sergeant',2008,3),
(1074,'Reuben','Cole','Constable',2021,3),
(1088,'Tessa','Moorland','Inspector',2001,4),
(1095,'Igor','Palmer','Constable',2015,4),
(1103,'Della','Wynne','Constable',2022,5),
(1110,'Marcus','Shay','Sergeant',2011,6),
(1126,'Hugh','Lanvin','Constable',2018,7),
(1131,'Petra','Osgood','Inspector',1995,NULL);
INSERT INTO Person VALUES
(1,'Alan Birch',1971,'M'),
(2,'Clara Dunmore',1989,'F'),
(3,'Denis Okoro',1995,'M'),
(4,'Edith Savile',1948,'F'),
(5,'Frank Yates',2001,'M'),
(6,'Gina Moretti',1983,'F'),
(7,'Hal Winslow',1966,'M'),
(8,'Irma Stahl',1992,'F'),
(9,'Jacob Renner',1978,'M'),
(10,'Kay Tolland',2004,'F'),
(11,'Leo Farrow',1959,'M'),
(12,'Mina Castro',NULL,'F'),
(13,'Noel Ashby',1987,'M');
INSERT INTO Incident VALUES
(1,'Burglary','2022-01-08',1,1033,1021,2450.0,'Closed'),
(2,'Theft','2022-01-19',3,1074,1067,180.0,'Closed'),
(3,'Vandalism','2022-02-02',2,1052,1052,640.0,'Open'),
(4,'Fraud','2022-02-25',4,1095,1088,13200.0,'Closed'),
(5,'Theft','2022-03-11',5,1103,1103,920.0,'Open'),
(6,'Burglary','2022-04-04',4,1095,1088,5100.0,'Archived'),
(7,'Assault','2022-04-16',2,1052,1040,NULL,'Closed'),
(8,'Theft','2022-05-07',1,1033,1033,75.0,'Archived'),
(9,'Vandalism','2022-05-21',6,1110,1110,310.0,'Open'),
(10,'Fraud','2022-06-13',3,1067,1067,8750.0,'Open'),
(11,'Assault','2022-07-02',3,1074,1074,NULL,'Closed'),
(12,'Burglary','2022-07-28',7,1126,1131,3675.0,'Open'),
(13,'Theft','2022-08-15',2,1040,1052,1340.0,'Closed'),
(14,'Vandalism','2022-09-09',1,1021,1033,225.0,'Archived');
INSERT INTO Involvement VALUES
(1,1,'Victim'),(1,5,'Suspect'),(2,2,'Victim'),(2,3,'Suspect'),(3,7,'Witness'),
(4,4,'Victim'),(4,9,'Suspect'),(4,11,'Witness'),(5,8,'Victim'),(6,6,'Victim'),
(6,5,'Suspect'),(7,13,'Victim'),(7,3,'Suspect'),(7,2,'Witness'),(8,10,'Victim'),
(10,11,'Victim'),(10,9,'Suspect'),(11,10,'Witness'),(11,13,'Suspect'),(12,4,'Victim'),
(13,6,'Witness'),(14,5,'Suspect');
