-- A university office matches students with internships at companies and tracks applications and placements.
CREATE TABLE companies (
  company_id INTEGER PRIMARY KEY,
  company_name TEXT NOT NULL,
  industry TEXT,
  city TEXT,
  employee_count INTEGER
);
CREATE TABLE students (
  student_id INTEGER PRIMARY KEY,
  full_name TEXT NOT NULL,
  major TEXT,
  study_year INTEGER,
  grade_average REAL
);
CREATE TABLE internships (
  internship_id INTEGER PRIMARY KEY,
  company_id INTEGER NOT NULL,
  title TEXT,
  weeks INTEGER,
  monthly_pay INTEGER,
  is_remote INTEGER,
  FOREIGN KEY (company_id) REFERENCES companies(company_id)
);
CREATE TABLE applications (
  application_id INTEGER PRIMARY KEY,
  student_id INTEGER NOT NULL,
  internship_id INTEGER NOT NULL,
  applied_on TEXT,
  status TEXT,
  FOREIGN KEY (student_id) REFERENCES students(student_id),
  FOREIGN KEY (internship_id) REFERENCES internships(internship_id)
);
CREATE TABLE placements (
  placement_id INTEGER PRIMARY KEY,
  application_id INTEGER NOT NULL,
  start_date TEXT,
  end_date TEXT,
  supervisor_name TEXT,
  rating INTEGER,
  FOREIGN KEY (application_id) REFERENCES applications(application_id)
);
INSERT INTO companies VALUES
(1,'Brightwell Software','software','Leeds',420),
(2,'Norrland Timber','forestry','Umea',1310),
(3,'Quantis Bank','finance','Frankfurt',5600),
(4,'Petal and Stem','retail','Leeds',38),
(5,'Helio Grid','energy','Frankfurt',880),
(6,'Cobalt Games','software','Utrecht',95),
(7,'Meridian Press','media','Utrecht',NULL),
(8,'Tanager Logistics','transport','Leeds',2150),
(9,'Vell Pharma','health','Basel',3475);
INSERT INTO students VALUES
(201,'Oona Brandt','computer science',3,3.7),
(202,'Dev Mistry','economics',2,3.2),
(203,'Clara Roux','design',3,3.5),
(204,'Tomas Vik','forestry',4,2.9),
(205,'Hana Ito','computer science',4,3.9),
(206,'Brian Keogh','economics',3,2.6),
(207,'Zola Ndlovu','chemistry',4,3.8),
(208,'Milan Horvat','computer science',2,3.1),
(209,'Ines Prado','journalism',3,3.4),
(210,'Ruth Adler','chemistry',3,NULL),
(211,'Pavel Stoch','design',1,3.0);
INSERT INTO internships VALUES
(1,1,'backend developer',12,1400,1),
(2,1,'test engineer',8,1150,1),
(3,2,'forest survey aide',10,900,0),
(4,3,'risk analyst',16,1850,0),
(5,3,'data analyst',12,1700,1),
(6,5,'grid modelling intern',14,1600,0),
(7,6,'level designer',10,1050,0),
(8,6,'graphics programmer',20,1300,1),
(9,7,'newsroom intern',6,NULL,0),
(10,8,'route planner',9,1000,0),
(11,9,'lab assistant',18,1550,0),
(12,9,'clinical data intern',15,1625,1),
(13,4,'shop assistant',5,750,0);
INSERT INTO applications VALUES
(1,201,1,'2023-01-10','accepted'),
(2,201,8,'2023-01-12','rejected'),
(3,202,4,'2023-01-15','rejected'),
(4,202,5,'2023-01-15','accepted'),
(5,203,7,'2023-01-20','accepted'),
(6,204,3,'2023-01-22','accepted'),
(7,205,8,'2023-01-25','accepted'),
(8,205,1,'2023-01-26','withdrawn'),
(9,206,4,'2023-02-01','rejected'),
(10,206,10,'2023-02-03','accepted'),
(11,207,11,'2023-02-05','accepted'),
(12,207,12,'2023-02-05','withdrawn'),
(13,208,2,'2023-02-11','accepted'),
(14,208,1,'2023-02-11','rejected'),
(15,209,9,'2023-02-14','accepted'),
(16,210,11,'2023-02-18','rejected'),
(17,210,12,'2023-02-20','accepted'),
(18,203,9,'2023-02-27','pending'),
(19,205,5,'2023-03-02','pending'),
(20,206,6,'2023-03-06','pending');
INSERT INTO placements VALUES
(1,1,'2023-06-01','2023-08-24','Kay Ridley',5),
(2,4,'2023-06-05','2023-08-28','Otto Lang',4),
(3,5,'2023-06-12','2023-08-21','Bram Visser',4),
(4,6,'2023-05-15','2023-07-24','Siv Norberg',3),
(5,7,'2023-07-03','2023-11-20','Bram Visser',5),
(6,10,'2023-06-19','2023-08-21','Joan Pratt',2),
(7,11,'2023-05-02','2023-09-05','Reto Frei',5),
(8,13,'2023-07-10','2023-09-04','Kay Ridley',3),
(9,15,'2023-08-01','2023-09-12','Anouk Mulder',NULL),
(10,17,'2023-09-01',NULL,'Reto Frei',NULL);
