-- A plumbing firm's call-outs: plumbers, customers, jobs and the parts used on them.
CREATE TABLE plmbr (
  pl_no INTEGER PRIMARY KEY,
  pl_nm TEXT NOT NULL,
  dob TEXT,
  hire_dt TEXT,
  grade TEXT,
  hr_rate REAL,
  sup_no INTEGER REFERENCES plmbr(pl_no)
);
CREATE TABLE cust (
  cust_no INTEGER PRIMARY KEY,
  cust_nm TEXT NOT NULL,
  cust_typ TEXT,
  dist_cd TEXT
);
CREATE TABLE part (
  part_no TEXT PRIMARY KEY,
  part_dsc TEXT,
  mat TEXT,
  unit_prc REAL,
  stk_qty INTEGER
);
CREATE TABLE job (
  job_no INTEGER PRIMARY KEY,
  cust_no INTEGER NOT NULL REFERENCES cust(cust_no),
  pl_no INTEGER REFERENCES plmbr(pl_no),
  job_typ TEXT,
  job_dt TEXT,
  hrs REAL,
  stat TEXT
);
CREATE TABLE job_part (
  job_no INTEGER,
  part_no TEXT,
  qty INTEGER,
  PRIMARY KEY (job_no, part_no),
  FOREIGN KEY (job_no) REFERENCES job(job_no),
  FOREIGN KEY (part_no) REFERENCES part(part_no)
);
INSERT INTO plmbr VALUES
(11,'R. Castell','1968-03-12','1994-05-02','master',52.0,NULL),
(12,'T. Bowden','1975-11-30','2001-09-17','master',48.5,11),
(13,'S. Ilves','1983-07-04','2008-02-11','journeyman',37.25,11),
(14,'P. Nakai','1986-01-22','2010-06-21','journeyman',36.0,12),
(15,'D. Froud','1990-09-15','2015-03-09','journeyman',34.4,12),
(16,'L. Amaro','1994-12-01','2018-10-01','journeyman',31.8,11),
(17,'K. Weir','2001-05-19','2021-08-16','apprentice',18.6,13),
(18,'J. Okello','2003-02-27','2022-09-05','apprentice',17.2,14),
(19,'M. Tully','2004-08-08','2023-09-04','apprentice',16.5,NULL);
INSERT INTO cust VALUES
(201,'Harrow Bakery','business','N'),
(202,'A. Pemberton','private','N'),
(203,'V. Costa','private','E'),
(204,'Linden School','public','S'),
(205,'Orchid Hotel','business','C'),
(206,'G. Sandberg','private','W'),
(207,'Town Baths','public','C'),
(208,'E. Marlowe','private','S'),
(209,'Bright Laundry','business','E'),
(210,'F. Dubrow','private','W'),
(211,'Quay Cafe','business',NULL);
INSERT INTO part VALUES
('CP15','pipe 15 mm','copper',6.8,140),
('CP22','pipe 22 mm','copper',10.4,86),
('EL15','elbow 15 mm','brass',1.95,310),
('BV22','ball valve','brass',14.2,42),
('TR40','trap 40 mm','plastic',5.3,75),
('WS01','washer set','rubber',2.1,205),
('PM60','pump','steel',119.0,6),
('CY12','cylinder','steel',386.0,3),
('TP02','mixer tap','brass',64.5,18),
('FL07','flexi hose','steel',7.9,0);
INSERT INTO job VALUES
(5001,201,12,'leak','2023-01-09',2.5,'paid'),
(5002,202,13,'boiler','2023-01-12',6.0,'paid'),
(5003,205,11,'install','2023-01-20',14.5,'paid'),
(5004,203,17,'drain','2023-02-03',1.5,'paid'),
(5005,204,14,'leak','2023-02-14',3.25,'billed'),
(5006,207,11,'boiler','2023-02-27',11.0,'paid'),
(5007,206,15,'install','2023-03-06',4.75,'paid'),
(5008,205,13,'drain','2023-03-15',2.0,'billed'),
(5009,208,16,'leak','2023-04-01',1.0,'paid'),
(5010,209,12,'install','2023-04-19',9.5,'billed'),
(5011,202,18,'drain','2023-05-05',1.75,'paid'),
(5012,210,15,'boiler','2023-05-22',5.5,'open'),
(5013,204,14,'install','2023-06-08',12.25,'open'),
(5014,201,16,'drain','2023-06-11',2.75,'paid'),
(5015,207,NULL,'leak','2023-06-30',NULL,'open'),
(5016,205,13,'leak','2023-07-04',3.5,'open');
INSERT INTO job_part VALUES
(5001,'EL15',4),(5001,'CP15',2),(5002,'PM60',1),(5003,'CP22',12),
(5003,'TP02',5),(5003,'BV22',3),(5004,'TR40',1),(5005,'WS01',6),
(5006,'CY12',1),(5006,'CP22',7),(5007,'TP02',1),(5007,'EL15',8),
(5008,'TR40',2),(5009,'WS01',1),(5010,'CP15',15),(5010,'BV22',2),
(5010,'EL15',11),(5012,'PM60',1),(5013,'TP02',9),(5013,'CP15',10),
(5014,'TR40',3),(5016,'WS01',2);
