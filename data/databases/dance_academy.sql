-- A dance academy with teachers, classes, students and the enrolments of students in classes.
CREATE TABLE teachers (
  teacher_id INTEGER PRIMARY KEY,
  teacher_name TEXT NOT NULL,
  main_style TEXT,
  hourly_rate REAL,
  start_year INTEGER
);
CREATE TABLE studios (
  studio_id INTEGER PRIMARY KEY,
  studio_name TEXT NOT NULL,
  floor_area REAL,
  floor_type TEXT
);
CREATE TABLE classes (
  class_id INTEGER PRIMARY KEY,
  class_name TEXT NOT NULL,
  style TEXT,
  level TEXT,
  weekday TEXT,
  term_fee REAL,
  teacher_id INTEGER REFERENCES teachers(teacher_id),
  studio_id INTEGER REFERENCES studios(studio_id)
);
CREATE TABLE students (
  student_id INTEGER PRIMARY KEY,
  student_name TEXT NOT NULL,
  age INTEGER,
  town TEXT
);
CREATE TABLE enrolments (
  student_id INTEGER NOT NULL REFERENCES students(student_id),
  class_id INTEGER NOT NULL REFERENCES classes(class_id),
  enrolled_on TEXT,
  exam_mark INTEGER,
  PRIMARY KEY (student_id, class_id)
);
INSERT INTO teachers VALUES
(1,'Odette Marsh','ballet',46,2003),
(2,'Raul Benitez','salsa',38.5,2014),
(3,'Kirsten Fell','contemporary',41,2010),
(4,'Jamal Pryce','street',35,2019),
(5,'Vera Hollis','ballet',52,1997),
(6,'Nuala Breen','tap',33.5,2016),
(7,'Teo Lindgren','contemporary',NULL,2023);
INSERT INTO studios VALUES
(1,'Mirror Room',120.5,'sprung wood'),
(2,'Attic',64,'vinyl'),
(3,'Garden Studio',88,'sprung wood'),
(4,'Basement',72.5,'concrete'),
(5,'Annexe',40,'vinyl');
INSERT INTO classes VALUES
(1,'Tiny Toes','ballet','beginner','Monday',85,1,1),
(2,'Pointe Prep','ballet','advanced','Wednesday',160,5,1),
(3,'Salsa Start','salsa','beginner','Tuesday',95,2,3),
(4,'Salsa Social','salsa','intermediate','Friday',110,2,3),
(5,'Flow and Floor','contemporary','intermediate','Thursday',130,3,1),
(6,'Block Party','street','beginner','Saturday',75,4,4),
(7,'Crew','street','advanced','Saturday',145,4,4),
(8,'Tap Basics','tap','beginner','Tuesday',80,6,2),
(9,'Rhythm Tap','tap','intermediate','Thursday',105,6,2),
(10,'Ballet Two','ballet','intermediate','Monday',125,1,1),
(11,'Open Floor','contemporary','beginner','Wednesday',90,NULL,5);
INSERT INTO students VALUES
(1,'Lucy Ames',8,'Henford'),
(2,'Mara Stokes',16,'Henford'),
(3,'Phil Garner',42,'Oldbury'),
(4,'Dina Rahal',35,'Tilling'),
(5,'Jonah West',14,'Henford'),
(6,'Bella Crane',11,'Tilling'),
(7,'Ross Kilby',51,'Oldbury'),
(8,'Evie Thorn',6,'Tilling'),
(9,'Cleo Vaz',19,'Henford'),
(10,'Max Udall',22,'Marl'),
(11,'Joan Petty',67,'Oldbury'),
(12,'Sasha Orme',17,'Marl');
INSERT INTO enrolments VALUES
(1,1,'2023-09-04',71),(1,8,'2023-09-05',64),
(2,2,'2023-09-06',92),(2,5,'2023-09-07',85),(2,10,'2023-01-09',88),
(3,3,'2023-09-12',55),(4,3,'2023-09-05',68),(4,4,'2024-01-12',NULL),
(5,6,'2023-09-09',77),(5,7,'2024-01-13',81),
(6,1,'2022-09-05',79),(6,10,'2023-09-04',73),
(7,3,'2024-01-09',49),(7,8,'2024-01-16',58),
(8,1,'2023-09-11',66),
(9,5,'2023-09-07',90),(9,7,'2023-09-09',95),(9,4,'2023-09-08',83),
(10,6,'2024-01-13',NULL),(10,3,'2023-09-19',61),
(11,8,'2023-09-05',70),(11,9,'2024-01-11',76),
(12,2,'2023-09-06',87);
