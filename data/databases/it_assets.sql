-- A company's IT inventory with departments, staff, devices, repair tickets and software licences.
CREATE TABLE dept (
  dept_cd TEXT PRIMARY KEY,
  dept_nm TEXT,
  site TEXT,
  bdgt INTEGER
);
CREATE TABLE emp (
  emp_no INTEGER PRIMARY KEY,
  emp_nm TEXT,
  dept_cd TEXT REFERENCES dept(dept_cd),
  mgr_no INTEGER REFERENCES emp(emp_no),
  hire_dt TEXT
);
CREATE TABLE asset (
  asset_no INTEGER PRIMARY KEY,
  typ TEXT,
  mfr TEXT,
  buy_dt TEXT,
  buy_amt REAL,
  emp_no INTEGER REFERENCES emp(emp_no),
  stat TEXT
);
CREATE TABLE tkt (
  tkt_no INTEGER PRIMARY KEY,
  asset_no INTEGER REFERENCES asset(asset_no),
  rep_by INTEGER REFERENCES emp(emp_no),
  fix_by INTEGER REFERENCES emp(emp_no),
  open_dt TEXT,
  prio TEXT,
  hrs REAL
);
CREATE TABLE sw (
  sw_id INTEGER PRIMARY KEY,
  sw_nm TEXT,
  vendor TEXT,
  seat_cost REAL
);
CREATE TABLE sw_inst (
  asset_no INTEGER REFERENCES asset(asset_no),
  sw_id INTEGER REFERENCES sw(sw_id),
  inst_dt TEXT,
  PRIMARY KEY (asset_no, sw_id)
);
INSERT INTO dept VALUES
('FIN','Finance','Antwerp',180000),
('HRM','Personnel','Antwerp',95000),
('ITS','IT Services','Ghent',410000),
('LEG','Legal','Antwerp',120000),
('MKT','Marketing','Liege',260000),
('RND','Research','Ghent',730000),
('SAL','Sales','Liege',335000),
('WHS','Warehouse','Namur',NULL);
INSERT INTO emp VALUES
(10,'Greet Hoste','ITS',NULL,'2005-04-01'),
(11,'Karel Dams','FIN',NULL,'2008-02-11'),
(12,'Sofie Maes','ITS',10,'2014-07-01'),
(13,'Yassin Amrani','ITS',10,'2019-09-16'),
(14,'Lotte Pauwels','RND',NULL,'2010-01-04'),
(15,'Ivan Petrov','RND',14,'2017-03-20'),
(16,'Mia Segers','MKT',NULL,'2015-11-02'),
(17,'Dirk Nys','SAL',16,'2012-05-29'),
(18,'Elif Kaya','FIN',11,'2021-06-14'),
(19,'Bob Thijs','HRM',11,'2018-10-08'),
(20,'Nora Leys','RND',14,'2022-08-22'),
(21,'Tim Goos','SAL',17,'2023-01-09');
INSERT INTO asset VALUES
(1001,'laptop','Lenora','2021-02-10',1249.0,11,'in use'),
(1002,'laptop','Lenora','2022-05-18',1380.5,12,'in use'),
(1003,'desktop','Hexa','2018-09-03',870.0,15,'in repair'),
(1004,'monitor','Viewtek','2020-11-25',310.0,14,'in use'),
(1005,'phone','Orbit','2023-03-07',640.0,17,'in use'),
(1006,'laptop','Hexa','2019-01-15',1105.0,NULL,'retired'),
(1007,'printer','Inka','2017-06-21',455.9,NULL,'in use'),
(1008,'laptop','Orbit','2023-08-30',1890.0,20,'in use'),
(1009,'desktop','Hexa','2020-04-14',925.0,18,'in use'),
(1010,'phone','Orbit','2019-12-02',520.0,NULL,'retired'),
(1011,'monitor','Viewtek','2022-10-11',345.0,15,'in use'),
(1012,'laptop','Lenora','2023-01-23',1420.0,21,'in repair'),
(1013,'printer','Inka','2021-07-09',590.0,NULL,'stock'),
(1014,'laptop','Lenora','2024-02-05',1510.0,NULL,'stock');
INSERT INTO tkt VALUES
(1,1003,15,12,'2023-02-14','high',6.5),
(2,1001,11,13,'2023-03-01','low',0.5),
(3,1007,19,13,'2023-03-22','medium',2.0),
(4,1009,18,12,'2023-05-05','medium',1.5),
(5,1003,15,13,'2023-06-30','high',4.0),
(6,1005,17,13,'2023-07-12','low',0.8),
(7,1007,16,12,'2023-09-04','low',1.0),
(8,1008,20,10,'2023-10-19','high',3.2),
(9,1012,21,13,'2023-11-27','medium',NULL),
(10,1002,12,10,'2024-01-08','low',0.3),
(11,1007,11,13,'2024-01-31','high',5.0),
(12,1004,14,NULL,'2024-02-16','low',NULL),
(13,1003,15,12,'2024-03-03','high',NULL);
INSERT INTO sw VALUES
(1,'LedgerPro','Sumware',240.0),
(2,'DrawKit','Pixelon',310.0),
(3,'Officium','Grandis',99.0),
(4,'StatLab','Numera',520.0),
(5,'ShieldOne','Fortivo',35.0),
(6,'CodeBench','Grandis',180.0),
(7,'CallMate','Sumware',60.0),
(8,'MapDesk','Numera',410.0);
INSERT INTO sw_inst VALUES
(1001,1,'2021-02-12'),(1001,3,'2021-02-12'),(1001,5,'2021-02-11'),
(1002,3,'2022-05-20'),(1002,5,'2022-05-19'),(1002,6,'2022-06-01'),
(1003,4,'2018-09-10'),(1003,5,'2018-09-05'),
(1005,7,'2023-03-08'),
(1008,4,'2023-09-01'),(1008,6,'2023-09-04'),(1008,5,'2023-08-31'),
(1009,1,'2020-04-20'),(1009,3,'2020-04-16'),
(1012,3,'2023-01-25'),(1012,7,'2023-02-02');
