-- A sailing school's instructors, boats, courses and student enrolments.
CREATE TABLE Instructor (
  InstructorId INTEGER PRIMARY KEY,
  FirstName TEXT,
  LastName TEXT,
  Nationality TEXT,
  DayRate REAL,
  CertifiedYear INTEGER
);
CREATE TABLE Boat (
  BoatId INTEGER PRIMARY KEY,
  BoatName TEXT NOT NULL,
  Hull TEXT,
  LengthM REAL,
  Berths INTEGER,
  Harbour TEXT
);
CREATE TABLE Course (
  CourseId INTEGER PRIMARY KEY,
  CourseTitle TEXT NOT NULL,
  Level TEXT,
  StartDate TEXT,
  Days INTEGER,
  Fee REAL,
  InstructorId INTEGER REFERENCES Instructor(InstructorId),
  BoatId INTEGER REFERENCES Boat(BoatId)
);
CREATE TABLE Student (
  StudentId INTEGER PRIMARY KEY,
  StudentName TEXT NOT NULL,
  Age INTEGER,
  Country TEXT
);
CREATE TABLE Enrolment (
  CourseId INTEGER,
  StudentId INTEGER,
  PaidAmount REAL,
  Passed INTEGER,
  PRIMARY KEY (CourseId, StudentId),
  FOREIGN KEY (CourseId) REFERENCES Course(CourseId),
  FOREIGN KEY (StudentId) REFERENCES Student(StudentId)
);
INSERT INTO Instructor VALUES
(1,'Callum','Reeve','British',190.0,2008),(2,'Manon','Guilvic','French',215.0,2003),
(3,'Stelios','Karas','Greek',175.0,2014),(4,'Ylva','Nyberg','Swedish',205.0,2011),
(5,'Duncan','Airey','British',160.0,2019),(6,'Iris','Pappas','Greek',150.0,2021),
(7,'Loic','Kermeur','French',240.0,1996),(8,'Annika','Sjoholm','Swedish',NULL,2023);
INSERT INTO Boat VALUES
(1,'Meltemi','monohull',11.9,8,'Lefkas'),(2,'Calypso','monohull',9.6,6,'Lefkas'),
(3,'Twin Star','catamaran',12.4,10,'Corfu'),(4,'Pinta','dinghy',4.3,0,'Corfu'),
(5,'Gull','dinghy',4.7,0,'Lefkas'),(6,'Boreas','monohull',13.8,9,'Syros'),
(7,'Halcyon','catamaran',11.2,8,'Syros'),(8,'Squib','dinghy',5.8,0,'Syros');
INSERT INTO Course VALUES
(1,'First Sail','beginner','2023-05-08',3,285.0,5,5),
(2,'Dinghy Week','beginner','2023-05-15',5,420.0,6,4),
(3,'Crew Skills','intermediate','2023-05-22',5,610.0,3,2),
(4,'Day Skipper','intermediate','2023-06-05',7,890.0,1,1),
(5,'Multihull Start','intermediate','2023-06-19',4,735.0,2,3),
(6,'Night Passage','advanced','2023-07-03',2,340.0,7,6),
(7,'Coastal Skipper','advanced','2023-07-17',10,1450.0,7,6),
(8,'First Sail','beginner','2023-08-07',3,310.0,5,4),
(9,'Racing Clinic','advanced','2023-08-21',4,560.0,4,8),
(10,'Day Skipper','intermediate','2023-09-04',7,845.0,2,7),
(11,'Storm Drill','advanced','2023-10-02',2,295.0,NULL,NULL);
INSERT INTO Student VALUES
(1,'Alice Mornay',34,'France'),(2,'Boris Edel',41,'Austria'),(3,'Cleo Harding',22,'Ireland'),
(4,'Dirk Samson',55,'Austria'),(5,'Elif Aksoy',29,'Turkey'),(6,'Finn Gallagher',19,'Ireland'),
(7,'Gisele Payet',47,'France'),(8,'Henrik Loos',63,'Austria'),(9,'Ida Carver',38,'Ireland'),
(10,'Joris Maes',26,NULL),(11,'Kemal Duru',31,'Turkey'),(12,'Lara Fontan',24,'France'),
(13,'Mick Donlan',50,'Ireland');
INSERT INTO Enrolment VALUES
(1,3,285.0,1),(1,6,285.0,1),(1,10,250.0,0),(2,6,420.0,1),(2,12,420.0,1),(2,5,390.0,0),
(3,1,610.0,1),(3,3,580.0,1),(3,9,610.0,1),(4,2,890.0,1),(4,9,890.0,0),(4,1,850.0,1),
(5,4,735.0,1),(5,7,735.0,1),(6,2,340.0,1),(6,4,340.0,0),(7,2,1450.0,1),(7,8,1380.0,0),
(8,11,310.0,1),(8,5,155.0,1),(9,1,560.0,NULL),(9,12,560.0,NULL),(10,9,845.0,1),(10,7,800.0,0),
(10,3,845.0,1);
