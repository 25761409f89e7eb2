-- A flight school with instructors, students, training aircraft and lessons flown.
CREATE TABLE instructors (
  instructor_id INTEGER PRIMARY KEY,
  last_name TEXT NOT NULL,
  first_name TEXT,
  licence_class TEXT,
  total_hours INTEGER,
  supervisor_id INTEGER,
  FOREIGN KEY (supervisor_id) REFERENCES instructors(instructor_id)
);
CREATE TABLE aircraft (
  tail_code TEXT PRIMARY KEY,
  model TEXT,
  seats INTEGER,
  built_year INTEGER,
  hourly_rate REAL
);
CREATE TABLE students (
  student_id INTEGER PRIMARY KEY,
  last_name TEXT NOT NULL,
  first_name TEXT,
  enrolled_on TEXT,
  course TEXT,
  instructor_id INTEGER,
  FOREIGN KEY (instructor_id) REFERENCES instructors(instructor_id)
);
CREATE TABLE lessons (
  lesson_id INTEGER PRIMARY KEY,
  student_id INTEGER NOT NULL,
  instructor_id INTEGER,
  tail_code TEXT NOT NULL,
  flown_on TEXT,
  hours REAL,
  landings INTEGER,
  exercise TEXT,
  grade INTEGER,
  FOREIGN KEY (student_id) REFERENCES students(student_id),
  FOREIGN KEY (instructor_id) REFERENCES instructors(instructor_id),
  FOREIGN KEY (tail_code) REFERENCES aircraft(tail_code)
);
INSERT INTO instructors VALUES
(1,'Halvorsen','Grete','chief',9120,NULL),(2,'Okafor','Daniel','senior',5340,1),(3,'Bellamy','Ruth','senior',4815,1),(4,'Tanaka','Kenji','junior',1460,2),
(5,'Moss','Harriet','junior',1125,2),(6,'Dubrov','Anton','junior',980,3),(7,'Salgado','Pilar','senior',3970,1),(8,'Wick','Ian','junior',640,7);
INSERT INTO aircraft VALUES
('FS-101','Skylark 2',2,1998,128),('FS-102','Skylark 2',2,2001,132),('FS-103','Skylark 2',2,2007,139),('FS-210','Corvan 4',4,2012,186),('FS-211','Corvan 4',4,2016,198),
('FS-305','Twin Merlin',6,1994,345),('FS-306','Twin Merlin',6,2018,412),('FS-400','Gossamer',1,1986,74),('FS-401','Gossamer',2,1989,81);
INSERT INTO students VALUES
(1,'Ashdown','Miles','2022-03-14','private',2),(2,'Pereira','Joana','2022-05-02','private',3),(3,'Lindqvist','Elsa','2022-09-19','commercial',7),(4,'Boateng','Kofi','2023-01-09','private',4),
(5,'Carrow','Tess','2023-02-27','glider',5),(6,'Meyer','Jonas','2023-04-11','instrument',2),(7,'Novak','Lenka','2023-06-05','commercial',7),(8,'Hartley','Sean','2023-06-26','private',6),
(9,'Ng','Audrey','2023-09-04','glider',5),(10,'Fisk','Roland','2023-10-30','instrument',3),(11,'Amari','Salma','2024-01-15','private',NULL),(12,'Dunn','Gwen','2024-02-12','private',4);
INSERT INTO lessons VALUES
(1,1,2,'FS-101','2023-01-12',1.2,6,'circuits',3),(2,1,2,'FS-101','2023-01-26',1.5,9,'circuits',4),(3,2,3,'FS-102','2023-02-03',1.1,2,'stalls',2),(4,3,7,'FS-305','2023-02-15',2.4,3,'navigation',5),
(5,4,4,'FS-103','2023-02-22',1,4,'circuits',2),(6,5,5,'FS-400','2023-03-18',0.7,1,'soaring',4),(7,2,4,'FS-102','2023-03-30',1.3,5,'circuits',3),(8,6,2,'FS-210','2023-05-04',2.1,2,'instruments',4),
(9,4,4,'FS-103','2023-05-17',1.4,3,'stalls',3),(10,1,NULL,'FS-101','2023-06-01',1.9,2,'solo',5),(11,7,7,'FS-306','2023-07-08',2.8,4,'navigation',3),(12,8,6,'FS-102','2023-07-21',0.9,5,'circuits',1),
(13,9,5,'FS-401','2023-09-16',0.8,2,'soaring',3),(14,3,1,'FS-306','2023-10-02',3.2,5,'check ride',5),(15,6,3,'FS-211','2023-10-19',2.3,1,'instruments',3),(16,8,6,'FS-103','2023-11-03',1.25,7,'circuits',2),
(17,10,3,'FS-211','2023-11-22',1.8,2,'instruments',NULL),(18,5,NULL,'FS-400','2024-03-09',1.6,1,'solo',4),(19,2,NULL,'FS-101','2024-03-20',1.7,3,'solo',4),(20,7,1,'FS-305','2024-04-04',2.9,3,'check ride',4),
(21,12,4,'FS-102','2024-04-12',1.05,4,'circuits',3),(22,8,2,'FS-210','2024-05-06',2.2,2,'navigation',4);
