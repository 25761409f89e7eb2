-- A tax office's payers, returns, payments and audits by its clerks.
CREATE TABLE ofc (
  ofc_cd TEXT PRIMARY KEY,
  ofc_nm TEXT NOT NULL,
  prov TEXT,
  staff_ct INTEGER
);
CREATE TABLE clk (
  clk_no INTEGER PRIMARY KEY,
  clk_nm TEXT NOT NULL,
  ofc_cd TEXT REFERENCES ofc(ofc_cd),
  grd INTEGER,
  hire_dt TEXT,
  sal REAL
);
CREATE TABLE payer (
  tp_no INTEGER PRIMARY KEY,
  tp_nm TEXT NOT NULL,
  tp_typ TEXT,
  reg_yr INTEGER,
  ofc_cd TEXT REFERENCES ofc(ofc_cd)
);
CREATE TABLE rtn (
  rtn_no INTEGER PRIMARY KEY,
  tp_no INTEGER NOT NULL REFERENCES payer(tp_no),
  tax_yr INTEGER,
  inc_amt REAL,
  tax_due REAL,
  file_dt TEXT,
  rtn_st TEXT
);
CREATE TABLE pmt (
  pmt_no INTEGER PRIMARY KEY,
  rtn_no INTEGER NOT NULL REFERENCES rtn(rtn_no),
  pmt_dt TEXT,
  pmt_amt REAL,
  meth TEXT
);
CREATE TABLE aud (
  aud_no INTEGER PRIMARY KEY,
  rtn_no INTEGER NOT NULL REFERENCES rtn(rtn_no),
  clk_no INTEGER REFERENCES clk(clk_no),
  find_amt REAL,
  outc TEXT
);
INSERT INTO ofc VALUES
('A1','Arden','North',42),('B2','Belling','North',27),('C1','Corvale','Coast',63),
('D4','Dunmere','Coast',18),('E3','Eastry','South',35),('F9','Fallow','South',9),
('G2','Garth','North',14),('H5','Holmby','Coast',31);
INSERT INTO clk VALUES
(1,'Abel Trench','A1',5,'2003-02-17',51200.0),(2,'Berta Loam','A1',3,'2014-08-04',38900.0),
(3,'Cedric Pugh','B2',4,'2009-05-11',44150.0),(4,'Dora Finch','C1',6,'1996-10-01',60300.0),
(5,'Edgar Mole','C1',2,'2020-01-06',32500.0),(6,'Fanny Oake','C1',4,'2011-03-28',45700.0),
(7,'Gideon Rush','D4',3,'2016-11-21',39800.0),(8,'Hulda Beck','E3',5,'2005-07-13',50050.0),
(9,'Isaac Thorn','E3',1,'2023-04-03',28400.0),(10,'Judith Keel',NULL,2,'2019-09-09',33600.0);
INSERT INTO payer VALUES
(501,'Larch Timber','firm',1998,'A1'),(502,'Ned Harker','person',2006,'A1'),
(503,'Orla Swift','person',2012,'B2'),(504,'Pike Motors','firm',2003,'B2'),
(505,'Quill Press','firm',2010,'C1'),(506,'Rita Alves','person',1995,'C1'),
(507,'Samphire Trust','charity',2001,'C1'),(508,'Tod Brewer','person',2017,'D4'),
(509,'Umber Paints','firm',2014,'D4'),(510,'Vera Lusk','person',1989,'E3'),
(511,'Willow Fund','charity',2008,'E3'),(512,'Zack Moran','person',NULL,'A1');
INSERT INTO rtn VALUES
(1,501,2021,418000.0,83600.0,'2022-03-14','closed'),
(2,501,2022,455300.0,91060.0,'2023-03-20','closed'),
(3,502,2021,38200.0,5730.0,'2022-04-02','closed'),
(4,502,2022,41750.0,6470.0,'2023-04-11','open'),
(5,503,2021,52900.0,9520.0,'2022-02-25','closed'),
(6,503,2022,50100.0,8890.0,'2023-02-19','closed'),
(7,504,2021,196400.0,37300.0,'2022-05-30','disputed'),
(8,504,2022,171850.0,32650.0,'2023-06-12','open'),
(9,505,2022,88700.0,16850.0,'2023-03-03','closed'),
(10,506,2021,27300.0,3410.0,'2022-01-28','closed'),
(11,507,2022,64000.0,0.0,'2023-01-17','closed'),
(12,508,2022,33450.0,4680.0,NULL,'open'),
(13,509,2021,240600.0,45700.0,'2022-04-27','disputed'),
(14,509,2022,262900.0,49950.0,'2023-04-25','open'),
(15,510,2022,71200.0,14240.0,'2023-02-08','closed');
INSERT INTO pmt VALUES
(1,1,'2022-04-01',40000.0,'bank'),(2,1,'2022-07-01',43600.0,'bank'),(3,2,'2023-04-03',91060.0,'bank'),
(4,3,'2022-05-05',5730.0,'card'),(5,4,'2023-05-02',2000.0,'card'),(6,5,'2022-03-10',9520.0,'bank'),
(7,6,'2023-03-15',8890.0,'cheque'),(8,7,'2022-08-22',15000.0,'bank'),(9,9,'2023-03-31',8425.0,'bank'),
(10,9,'2023-06-30',8425.0,'bank'),(11,10,'2022-02-14',3410.0,'cash'),(12,13,'2022-06-09',20500.0,'bank'),
(13,13,'2022-10-18',9750.0,'cheque'),(14,14,'2023-07-04',12400.0,'bank'),(15,15,'2023-02-27',7240.0,'card'),
(16,15,'2023-05-29',7000.0,'card');
INSERT INTO aud VALUES
(1,1,2,0.0,'clean'),(2,7,3,6150.0,'fine'),(3,8,3,2280.0,'pending'),(4,9,6,310.0,'adjusted'),
(5,13,7,11400.0,'fine'),(6,13,4,9875.0,'adjusted'),(7,14,4,NULL,'pending'),(8,3,1,145.0,'adjusted'),
(9,10,5,0.0,'clean'),(10,15,8,870.0,'adjusted'),(11,11,6,0.0,'clean'),(12,2,1,4320.0,'fine');
