-- A lift maintenance firm: buildings, lifts, mechanics and the service calls made.
CREATE TABLE bldg (
  bldg_id INTEGER PRIMARY KEY,
  bldg_nm TEXT NOT NULL,
  bldg_typ TEXT,
  city TEXT,
  flr_cnt INTEGER
);
CREATE TABLE mfr (
  mfr_cd TEXT PRIMARY KEY,
  mfr_nm TEXT NOT NULL,
  ctry TEXT
);
CREATE TABLE lift (
  lift_no INTEGER PRIMARY KEY,
  bldg_id INTEGER NOT NULL REFERENCES bldg(bldg_id),
  mfr_cd TEXT REFERENCES mfr(mfr_cd),
  inst_yr INTEGER,
  max_kg INTEGER,
  drv_typ TEXT
);
CREATE TABLE mech (
  mech_id INTEGER PRIMARY KEY,
  mech_nm TEXT NOT NULL,
  cert_lvl INTEGER,
  hire_dt TEXT,
  hr_rate REAL
);
CREATE TABLE svc_call (
  call_no INTEGER PRIMARY KEY,
  lift_no INTEGER NOT NULL REFERENCES lift(lift_no),
  mech_id INTEGER REFERENCES mech(mech_id),
  call_dt TEXT,
  fault_cd TEXT,
  hrs REAL,
  parts_amt REAL
);
INSERT INTO bldg VALUES
(1,'Crown Tower','office','Milbury',24),
(2,'Ash Court','flats','Milbury',9),
(3,'General Infirmary','hospital','Torrance',7),
(4,'Galleria','shops','Torrance',4),
(5,'Pine Heights','flats','Torrance',16),
(6,'Central Library','public','Milbury',5),
(7,'Exchange House','office','Denby',12),
(8,'Grand Regent','hotel','Denby',11);
INSERT INTO mfr VALUES
('KRL','Karlsen Lifts','Denmark'),
('ASC','Ascenda','Italy'),
('HUB','Hubwerk','Germany'),
('TAK','Takeda Hoist','Japan'),
('PLM','Plumb and Rise','UK');
INSERT INTO lift VALUES
(101,1,'HUB',2004,1250,'traction'),
(102,1,'HUB',2004,1000,'traction'),
(103,1,'TAK',2018,1600,'gearless'),
(104,2,'PLM',1976,480,'hydraulic'),
(105,3,'KRL',1999,2500,'traction'),
(106,3,'KRL',2011,2000,'gearless'),
(107,4,'ASC',2014,1050,'hydraulic'),
(108,5,'PLM',1983,630,'traction'),
(109,5,'PLM',1985,600,'traction'),
(110,6,'ASC',2009,800,'hydraulic'),
(111,7,'HUB',2001,900,'traction'),
(112,8,'TAK',2021,1150,'gearless'),
(113,8,NULL,1968,320,'hydraulic');
INSERT INTO mech VALUES
(11,'Stuart Kemble',3,'2007-05-14',41.5),
(12,'Renata Dias',2,'2015-09-01',34),
(13,'Omar Haque',3,'2010-02-22',39.75),
(14,'Shaun Petrie',1,'2022-06-13',24.5),
(15,'Lev Brodsky',2,'2018-11-19',31.25),
(16,'Gina Torrell',1,'2023-10-02',23);
INSERT INTO svc_call VALUES
(1,104,12,'2024-01-03','DOOR',2.5,85),
(2,108,11,'2024-01-05','MOTOR',7,1240),
(3,101,14,'2024-01-09','CHECK',1.5,0),
(4,113,13,'2024-01-12','LEAK',4.5,310),
(5,105,11,'2024-01-18','BRAKE',5,675.5),
(6,108,12,'2024-01-24','DOOR',3,142),
(7,109,15,'2024-01-26','DOOR',2,96.5),
(8,107,14,'2024-02-01','PANEL',1,58),
(9,110,15,'2024-02-06','LEAK',3.5,204),
(10,102,12,'2024-02-08','CHECK',1.25,0),
(11,113,13,'2024-02-13','MOTOR',8.5,1890),
(12,111,11,'2024-02-20','BRAKE',4,520),
(13,104,15,'2024-02-22','PANEL',2.25,133),
(14,106,13,'2024-02-27','CHECK',1.75,12.5),
(15,108,11,'2024-03-04','BRAKE',6,730),
(16,109,14,'2024-03-07','PANEL',1.5,NULL),
(17,103,15,'2024-03-11','CHECK',0.75,0),
(18,105,13,'2024-03-15','DOOR',3.25,268),
(19,113,NULL,'2024-03-19','LEAK',NULL,NULL),
(20,101,12,'2024-03-21','DOOR',2.75,117);
