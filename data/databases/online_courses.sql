-- An online learning site with instructors, courses, learners and enrolments.
CREATE TABLE instructors (
  instructor_id INTEGER PRIMARY KEY,
  instructor_name TEXT NOT NULL,
  country TEXT,
  joined_year INTEGER
);
CREATE TABLE courses (
  course_id INTEGER PRIMARY KEY,
  title TEXT NOT NULL,
  topic TEXT,
  difficulty TEXT,
  price REAL,
  lesson_count INTEGER,
  instructor_id INTEGER REFERENCES instructors(instructor_id),
  prerequisite_id INTEGER REFERENCES courses(course_id)
);
CREATE TABLE learners (
  learner_id INTEGER PRIMARY KEY,
  learner_name TEXT NOT NULL,
  country TEXT,
  age INTEGER
);
CREATE TABLE enrolments (
  enrolment_id INTEGER PRIMARY KEY,
  learner_id INTEGER NOT NULL REFERENCES learners(learner_id),
  course_id INTEGER NOT NULL REFERENCES courses(course_id),
  enrolled_on TEXT,
  lessons_done INTEGER,
  final_score REAL
);
INSERT INTO instructors VALUES
(1,'Mirela Stan','Romania',2016),
(2,'Josh Pemberton','UK',2018),
(3,'Anil Kulkarni','India',2015),
(4,'Freja Dahl','Denmark',2020),
(5,'Tariq Aziz','UK',2019),
(6,'Bianca Moretti','Italy',2021),
(7,'Owen Lark','UK',2017),
(8,'Chitra Menon','India',2023);
INSERT INTO courses VALUES
(1,'Python Basics','programming','beginner',29.0,32,3,NULL),
(2,'Data Wrangling','programming','intermediate',49.0,41,3,1),
(3,'Neural Networks','programming','advanced',95.0,58,1,2),
(4,'Watercolour Start','art','beginner',19.5,16,6,NULL),
(5,'Portrait Painting','art','intermediate',38.0,24,6,4),
(6,'Bookkeeping 1','business','beginner',35.0,27,2,NULL),
(7,'Tax for Freelancers','business','intermediate',59.0,19,2,6),
(8,'Danish in 30 Days','languages','beginner',24.0,30,4,NULL),
(9,'Italian Conversation','languages','intermediate',44.0,36,6,NULL),
(10,'Pricing Strategy','business','advanced',120.0,22,5,7),
(11,'Guitar from Zero','music','beginner',0.0,48,7,NULL),
(12,'Jazz Chords','music','advanced',66.5,35,7,11),
(13,'Home Recording','music','intermediate',54.0,NULL,NULL,NULL);
INSERT INTO learners VALUES
(1,'Alina Popa','Romania',24),
(2,'Bjarke Holst','Denmark',37),
(3,'Chloe Fenn','UK',19),
(4,'Devika Rao','India',31),
(5,'Enzo Galli','Italy',45),
(6,'Fay Mortimer','UK',62),
(7,'Girish Patel','India',28),
(8,'Helle Krogh','Denmark',51),
(9,'Isaac Trent','UK',34),
(10,'Julia Bernardi','Italy',22),
(11,'Kiran Bose','India',NULL),
(12,'Lars Winther','Denmark',40);
INSERT INTO enrolments VALUES
(1,1,1,'2022-09-03',32,88.5),
(2,1,2,'2022-12-10',41,79.0),
(3,1,3,'2023-03-22',17,NULL),
(4,2,8,'2022-10-01',12,NULL),
(5,2,6,'2022-10-15',27,92.0),
(6,2,7,'2023-01-08',19,85.0),
(7,3,11,'2022-11-11',48,71.5),
(8,3,12,'2023-05-02',9,NULL),
(9,4,1,'2022-08-19',32,97.0),
(10,4,2,'2022-10-30',41,94.5),
(11,4,3,'2023-01-16',58,90.0),
(12,5,4,'2023-02-05',16,66.0),
(13,5,11,'2023-02-20',5,NULL),
(14,6,4,'2022-09-27',16,83.0),
(15,6,5,'2022-12-29',24,77.5),
(16,7,1,'2023-04-04',20,NULL),
(17,8,9,'2023-03-13',36,81.0),
(18,8,4,'2023-06-18',3,NULL),
(19,9,6,'2023-01-25',27,58.0),
(20,9,10,'2023-07-07',22,74.0),
(21,10,5,'2023-05-29',24,95.5),
(22,10,8,'2023-08-14',30,89.0),
(23,11,2,'2023-09-01',0,NULL),
(24,6,9,'2023-09-20',11,NULL);
