-- A genetics laboratory: staff, projects, samples taken from donors, and assays run on instruments.
CREATE TABLE staff (
  stf_no INTEGER PRIMARY KEY,
  lnm TEXT NOT NULL,
  fnm TEXT,
  grade_cd TEXT,
  hire_dt TEXT,
  boss_no INTEGER REFERENCES staff(stf_no)
);
CREATE TABLE proj (
  proj_cd TEXT PRIMARY KEY,
  proj_ttl TEXT,
  bdgt_k REAL,
  st_dt TEXT,
  end_dt TEXT,
  pi_no INTEGER REFERENCES staff(stf_no)
);
CREATE TABLE instr (
  instr_id INTEGER PRIMARY KEY,
  instr_nm TEXT,
  instr_typ TEXT,
  cost_k REAL,
  purch_yr INTEGER
);
CREATE TABLE smpl (
  smpl_id INTEGER PRIMARY KEY,
  proj_cd TEXT NOT NULL REFERENCES proj(proj_cd),
  org TEXT,
  tissue TEXT,
  coll_dt TEXT,
  conc_ng REAL
);
CREATE TABLE assay (
  assay_no INTEGER PRIMARY KEY,
  smpl_id INTEGER NOT NULL REFERENCES smpl(smpl_id),
  instr_id INTEGER NOT NULL REFERENCES instr(instr_id),
  stf_no INTEGER REFERENCES staff(stf_no),
  run_dt TEXT,
  reads_m REAL,
  qc_stat TEXT
);
INSERT INTO staff VALUES
(11,'Lindgren','Sara','PI','2008-09-01',NULL),(12,'Achebe','Tobe','PI','2011-02-14',NULL),(13,'Moreau','Elise','postdoc','2018-05-07',11),(14,'Kovacs','Bela','postdoc','2019-10-21',12),(15,'Whitlow','June','tech','2014-03-03',11),
(16,'Ismail','Hana','tech','2020-01-13',12),(17,'Ferro','Dario','phd','2021-09-06',13),(18,'Qian','Wei','phd','2022-09-05',14),(19,'Brody','Kate','phd','2022-09-19',13);
INSERT INTO proj VALUES
('BAR','Barley drought genes',420,'2020-01-01','2023-12-31',11),('ZEB','Zebrafish fin repair',615.5,'2021-04-01',NULL,12),('OAT','Oat crown rust',188,'2019-06-01','2022-05-31',11),('BEE','Honeybee resistance',242.3,'2022-02-01',NULL,13),
('MUS','Mouse clock mutants',870,'2018-09-01','2024-08-31',12),('YST','Yeast ageing',96.7,'2023-03-01',NULL,14),('LIC','Lichen partners',54,'2024-01-15',NULL,NULL);
INSERT INTO instr VALUES
(1,'Orion S2','sequencer',310,2019),(2,'Orion S4','sequencer',485,2022),(3,'Thermo Drum','pcr',18.5,2012),(4,'QuantaCycle','pcr',27.2,2018),(5,'Lumiscope','imager',142,2016),(6,'MassFinder','spectrometer',398,2014),(7,'GelBox Mini','imager',9.4,2009),(8,'NanoStrand','sequencer',64,2023);
INSERT INTO smpl VALUES
(1,'BAR','barley','leaf','2020-05-18',48.2),(2,'BAR','barley','root','2020-05-18',31.7),(3,'BAR','barley','leaf','2021-06-09',55.9),(4,'ZEB','zebrafish','fin','2021-07-22',12.4),(5,'ZEB','zebrafish','fin','2021-08-30',15.8),(6,'OAT','oat','leaf','2019-07-11',40.3),
(7,'OAT','oat','seed','2020-08-25',22.6),(8,'BEE','honeybee','gut','2022-05-16',8.9),(9,'BEE','honeybee','thorax','2022-06-28',17.1),(10,'MUS','mouse','brain','2019-03-05',66.4),(11,'MUS','mouse','liver','2019-11-19',91),(12,'MUS','mouse','brain','2022-02-08',72.5),
(13,'YST','yeast','culture','2023-05-02',105.3),(14,'ZEB','zebrafish','heart','2023-09-14',NULL);
INSERT INTO assay VALUES
(1,1,1,15,'2020-06-03',24.1,'pass'),(2,2,1,15,'2020-06-04',18.7,'fail'),(3,2,3,13,'2020-06-15',NULL,'pass'),(4,3,1,17,'2021-10-12',29.6,'pass'),(5,4,4,16,'2021-08-11',NULL,'pass'),(6,4,1,16,'2021-09-01',11.3,'retry'),(7,5,5,14,'2021-09-20',NULL,'pass'),
(8,6,1,15,'2019-09-16',20.8,'pass'),(9,7,3,15,'2020-10-07',NULL,'fail'),(10,8,2,13,'2022-07-05',37.9,'pass'),(11,8,4,19,'2022-10-18',NULL,'retry'),(12,9,2,19,'2022-11-02',42.5,'pass'),(13,10,1,16,'2019-05-14',26.2,'pass'),(14,10,6,14,'2020-01-22',NULL,'pass'),
(15,11,6,14,'2020-02-26',NULL,'fail'),(16,12,2,18,'2022-10-11',51.4,'pass'),(17,12,5,18,'2022-12-01',NULL,'pass'),(18,13,2,18,'2023-05-30',60.2,'pass'),(19,13,2,18,'2023-06-21',8.6,'fail'),(20,3,4,17,'2022-01-17',NULL,'pass'),(21,9,6,NULL,'2023-02-09',NULL,'retry'),(22,1,2,17,'2022-06-08',45.7,'pass');
