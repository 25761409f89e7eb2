-- A regional hospital keeps its wards, nurses, patients, bed stays and ward transfers.
CREATE TABLE ward (
  ward_cd TEXT PRIMARY KEY,
  ward_nm TEXT,
  flr INTEGER,
  bed_cnt INTEGER,
  spec TEXT
);
CREATE TABLE nurse (
  nurse_no INTEGER PRIMARY KEY,
  nurse_nm TEXT,
  grd TEXT,
  hire_dt TEXT,
  ward_cd TEXT REFERENCES ward(ward_cd),
  sup_no INTEGER REFERENCES nurse(nurse_no)
);
CREATE TABLE pat (
  pat_no INTEGER PRIMARY KEY,
  pat_nm TEXT,
  sex TEXT,
  dob TEXT,
  bld_grp TEXT
);
CREATE TABLE stay (
  stay_no INTEGER PRIMARY KEY,
  pat_no INTEGER REFERENCES pat(pat_no),
  ward_cd TEXT REFERENCES ward(ward_cd),
  adm_dt TEXT,
  dis_dt TEXT,
  diag TEXT,
  cost REAL
);
CREATE TABLE xfer (
  xfer_no INTEGER PRIMARY KEY,
  stay_no INTEGER REFERENCES stay(stay_no),
  from_ward TEXT REFERENCES ward(ward_cd),
  to_ward TEXT REFERENCES ward(ward_cd),
  xfer_dt TEXT
);
INSERT INTO ward VALUES
('A1','Aspen',1,24,'surgery'),
('A2','Birch',1,18,'orthopaedics'),
('B1','Cedar',2,30,'internal'),
('B2','Elm',2,16,'cardiology'),
('C1','Fir',3,12,'paediatrics'),
('C2','Hazel',3,20,'internal'),
('D1','Larch',4,8,'intensive care'),
('D2','Maple',4,22,'surgery'),
('E1','Rowan',5,14,'cardiology');
INSERT INTO nurse VALUES
(101,'Hilde Maurer','head','2004-03-01','A1',NULL),
(102,'Jonas Petri','head','2007-09-15','B1',NULL),
(103,'Amina Sesay','senior','2011-02-01','A1',101),
(104,'Colm Rafferty','senior','2013-06-17','B1',102),
(105,'Lucia Bravo','staff','2018-01-08','A1',103),
(106,'Tove Lindahl','staff','2019-10-01','B2',104),
(107,'Marek Dudek','staff','2020-04-14','C1',102),
(108,'Nadia Farouk','senior','2012-11-05','D1',101),
(109,'Peter Obi','trainee','2023-08-21','D1',108),
(110,'Sara Kallio','trainee','2023-09-04','C2',104),
(111,'Wim Claes','staff','2016-05-30','D2',103),
(112,'Yuki Sato','staff','2021-03-22',NULL,102);
INSERT INTO pat VALUES
(5001,'Albert Finch','M','1944-05-12','A+'),
(5002,'Berta Kroll','F','1951-11-30','O+'),
(5003,'Carlos Mena','M','1978-02-03','B+'),
(5004,'Dora Weiss','F','2016-07-19','O+'),
(5005,'Emil Hansen','M','1963-09-25','A-'),
(5006,'Fatou Diop','F','1989-01-14','O-'),
(5007,'Greta Nyman','F','1938-12-08','A+'),
(5008,'Hugh Barlow','M','1970-04-27',NULL),
(5009,'Irena Novak','F','2018-10-02','B+'),
(5010,'Jamal Reed','M','1995-06-16','O+'),
(5011,'Karin Holm','F','1957-03-21','A+'),
(5012,'Leo Tamm','M','2001-08-11',NULL);
INSERT INTO stay VALUES
(1,5001,'B2','2024-01-04','2024-01-15','heart failure',8420.5),
(2,5002,'A2','2024-01-09','2024-01-20','hip fracture',12650.0),
(3,5003,'A1','2024-01-22','2024-01-25','appendicitis',4310.0),
(4,5004,'C1','2024-02-01','2024-02-03','asthma',1275.4),
(5,5005,'B1','2024-02-06','2024-02-14','pneumonia',5190.9),
(6,5007,'B1','2024-02-11','2024-03-02','pneumonia',9875.0),
(7,5001,'B2','2024-03-05','2024-03-12','heart failure',6033.2),
(8,5006,'D2','2024-03-08','2024-03-10','hernia',2980.0),
(9,5008,'B2','2024-03-15','2024-03-29','heart attack',18740.6),
(10,5009,'C1','2024-04-02','2024-04-06','bronchitis',1890.0),
(11,5010,'A1','2024-04-10','2024-04-13','appendicitis',4525.8),
(12,5002,'A2','2024-04-18','2024-04-24','hip fracture',5410.0),
(13,5011,'C2','2024-05-01','2024-05-09','diabetes',3666.1),
(14,5007,'E1','2024-05-12',NULL,'heart failure',7210.0),
(15,5005,'D2','2024-05-20',NULL,'hernia',NULL),
(16,5004,'C1','2024-05-23',NULL,'asthma',640.0);
INSERT INTO xfer VALUES
(1,1,'B2','D1','2024-01-06'),
(2,1,'D1','B2','2024-01-09'),
(3,2,'A2','B1','2024-01-17'),
(4,3,'A1','A2','2024-01-24'),
(5,5,'B1','C2','2024-02-10'),
(6,6,'B1','D1','2024-02-13'),
(7,6,'D1','B1','2024-02-21'),
(8,9,'B2','D1','2024-03-15'),
(9,9,'D1','E1','2024-03-22'),
(10,13,'C2','B1','2024-05-04'),
(11,14,'E1','B2','2024-05-14'),
(12,12,'A2','B1','2024-04-21');
