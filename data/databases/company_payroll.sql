-- Payroll of a mid-sized firm: departments, jobs, employees and monthly pay slips.
CREATE TABLE dept (
  dept_cd TEXT PRIMARY KEY,
  dept_nm TEXT NOT NULL,
  loc TEXT,
  budg_amt REAL
);
CREATE TABLE job (
  job_cd TEXT PRIMARY KEY,
  job_nm TEXT NOT NULL,
  min_sal REAL,
  max_sal REAL
);
CREATE TABLE emp (
  emp_no INTEGER PRIMARY KEY,
  fname TEXT NOT NULL,
  lname TEXT NOT NULL,
  sex TEXT,
  dob TEXT,
  hire_dt TEXT,
  job_cd TEXT REFERENCES job(job_cd),
  dept_cd TEXT REFERENCES dept(dept_cd),
  mgr_no INTEGER REFERENCES emp(emp_no),
  ann_sal REAL
);
CREATE TABLE pay_slip (
  slip_no INTEGER PRIMARY KEY,
  emp_no INTEGER NOT NULL REFERENCES emp(emp_no),
  pay_mth TEXT,
  gross_amt REAL,
  tax_amt REAL,
  ot_hrs REAL
);
INSERT INTO dept VALUES
('ACC','Accounts','Leeds',410000),
('SAL','Sales','London',925000),
('WHS','Warehouse','Hull',688000),
('ITS','IT Support','Leeds',530000),
('HRS','Personnel','London',275000),
('RND','Research','Hull',1140000),
('LEG','Legal','London',NULL);
INSERT INTO job VALUES
('CLK','Clerk',18500,27000),
('MGR','Manager',42000,78000),
('TEC','Technician',24000,41000),
('REP','Sales Rep',22000,52000),
('SCI','Scientist',35000,69000),
('DIR','Director',80000,140000);
INSERT INTO emp VALUES
(1001,'Margit','Olsen','F','1966-02-11','1998-04-01','DIR',NULL,NULL,128000),
(1002,'Keith','Barlow','M','1971-09-30','2001-07-16','MGR','SAL',1001,74500),
(1003,'Asha','Pillai','F','1980-12-05','2009-01-12','MGR','ACC',1001,61200),
(1004,'Dominic','Frey','M','1975-06-21','2005-10-03','MGR','RND',1001,76800),
(1005,'Lorna','Skeat','F','1992-03-17','2016-05-09','REP','SAL',1002,39400),
(1006,'Piotr','Zalew','M','1988-08-08','2013-02-25','REP','SAL',1002,47150),
(1007,'Nadia','Cole','F','1999-11-27','2021-09-06','CLK','ACC',1003,22300),
(1008,'Hugh','Tranter','M','1963-01-14','1994-03-07','CLK','ACC',1003,26900),
(1009,'Imogen','Vane','F','1985-05-02','2012-08-20','SCI','RND',1004,58700),
(1010,'Bao','Tran','M','1990-10-19','2018-11-05','SCI','RND',1004,51300),
(1011,'Ellis','Moor','M','1995-07-25','2019-06-17','TEC','ITS',1003,31800),
(1012,'Suki','Arden','F','1997-04-13','2022-01-10','TEC','WHS',NULL,27650),
(1013,'Colm','Reddy','M','1982-12-31','2010-04-26','TEC','WHS',1012,33900),
(1014,'Jess','Pomfret','F','2001-06-06','2023-03-13','REP','SAL',1002,24100),
(1015,'Arlo','Whit','M',NULL,'2023-08-28','CLK','HRS',1001,19800);
INSERT INTO pay_slip VALUES
(1,1001,'2024-01',10666.67,3950.2,0),
(2,1002,'2024-01',6208.33,1720.5,0),
(3,1003,'2024-01',5100,1290.8,2.5),
(4,1005,'2024-01',3420.1,610.25,6),
(5,1006,'2024-01',4105.75,840.6,8.5),
(6,1007,'2024-01',1858.33,205.9,NULL),
(7,1009,'2024-01',4891.67,1180.4,0),
(8,1011,'2024-01',2790.4,440.15,11),
(9,1012,'2024-01',2504.6,371.3,9),
(10,1013,'2024-01',3015.2,498.7,14.5),
(11,1014,'2024-01',2008.33,236.45,NULL),
(12,1002,'2024-02',6390.5,1788,4),
(13,1004,'2024-02',6400,1795.3,0),
(14,1005,'2024-02',3283.33,574.9,0),
(15,1006,'2024-02',4390.2,925.1,15),
(16,1008,'2024-02',2241.67,307.6,NULL),
(17,1009,'2024-02',5120.45,1265.7,7),
(18,1010,'2024-02',4275,940.35,0),
(19,1011,'2024-02',2945.8,482.6,16.5),
(20,1012,'2024-02',2304.17,322.8,0),
(21,1013,'2024-02',2896.9,465.5,5.5);
