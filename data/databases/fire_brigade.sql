-- A county fire brigade: stations, engines, crew members, call-outs and who was sent.
CREATE TABLE stn (
  stn_no INTEGER PRIMARY KEY,
  stn_nm TEXT NOT NULL,
  dist_cd TEXT,
  yr_built INTEGER
);
CREATE TABLE veh (
  veh_no INTEGER PRIMARY KEY,
  stn_no INTEGER NOT NULL REFERENCES stn(stn_no),
  veh_typ TEXT,
  tank_l INTEGER,
  purch_yr INTEGER
);
CREATE TABLE ff (
  ff_no INTEGER PRIMARY KEY,
  lname TEXT NOT NULL,
  rank_cd TEXT,
  dob TEXT,
  hire_dt TEXT,
  sal REAL,
  stn_no INTEGER REFERENCES stn(stn_no)
);
CREATE TABLE incid (
  inc_no INTEGER PRIMARY KEY,
  inc_dt TEXT,
  inc_typ TEXT,
  dist_cd TEXT,
  resp_min REAL,
  dmg_amt REAL,
  lead_ff INTEGER REFERENCES ff(ff_no)
);
CREATE TABLE dispatch (
  inc_no INTEGER REFERENCES incid(inc_no),
  veh_no INTEGER REFERENCES veh(veh_no),
  crew_qty INTEGER,
  hrs REAL,
  PRIMARY KEY (inc_no, veh_no)
);
INSERT INTO stn VALUES
(1,'Central','C',1934),(2,'Dock Road','S',1958),(3,'Elm Cross','N',1972),(4,'Hollins','N',1989),(5,'Quarry Hill','E',2003),(6,'Saltmarsh','S',2014),(7,'Weir Lane','E',1966),(8,'Airfield','W',2019);
INSERT INTO veh VALUES
(101,1,'pump',1800,2012),(102,1,'ladder',NULL,2009),(103,1,'rescue',400,2017),(104,2,'pump',2000,2015),(105,2,'boat',NULL,2011),(106,3,'pump',1600,2006),
(107,4,'tanker',9000,2018),(108,5,'pump',1850,2020),(109,5,'ladder',NULL,2016),(110,6,'pump',2100,2021),(111,7,'tanker',7500,2003),(112,7,'rescue',350,2014);
INSERT INTO ff VALUES
(1,'Brandt','CPT','1971-04-12','1994-06-01',61200,1),(2,'Oyelaran','LT','1980-09-30','2004-03-15',52400,1),(3,'Castell','FF','1992-01-22','2015-08-01',41100,1),
(4,'Mowbray','LT','1977-11-05','2001-01-10',53850,2),(5,'Sykes','FF','1995-07-17','2018-04-02',39700,2),(6,'Tran','CPT','1969-02-28','1992-09-14',63900,3),
(7,'Ellery','FF','1988-12-09','2011-05-23',43250,3),(8,'Pardo','LT','1983-03-03','2008-10-06',50600,4),(9,'Quill','FF','1998-06-14','2020-02-17',38200,5),
(10,'Hask','FF','1990-08-26','2013-11-11',42300,5),(11,'Varga','CPT','1974-05-19','1998-07-20',60150,7),(12,'Nunn','PRB','2001-10-01','2023-09-04',33500,6),(13,'Lovell','PRB','2000-03-27','2023-09-04',33650,NULL);
INSERT INTO incid VALUES
(1,'2023-01-07','house','C',6.5,48000,1),(2,'2023-01-29','road','S',8.2,12500,4),(3,'2023-02-14','house','N',9.1,76500,6),(4,'2023-03-03','alarm','C',5.4,0,2),
(5,'2023-03-21','grass','E',14.7,3100,11),(6,'2023-04-18','flood','S',11.3,29500,4),(7,'2023-05-06','road','N',7.9,18200,8),(8,'2023-06-11','grass','E',16.2,5400,11),
(9,'2023-07-02','house','E',10.6,132000,11),(10,'2023-07-30','alarm','C',4.9,NULL,1),(11,'2023-09-09','grass','W',19.5,8800,6),(12,'2023-11-15','flood','S',12.8,41700,NULL);
INSERT INTO dispatch VALUES
(1,101,5,2.5),(1,102,3,2.2),(2,104,4,1.4),(2,103,4,1.7),(3,106,5,3.8),(3,107,2,3.1),(3,102,3,2.9),(4,101,5,0.4),(5,108,4,4.6),(5,111,2,5.2),
(6,104,4,6.3),(6,105,3,5.9),(6,110,5,6.8),(7,106,4,1.1),(8,111,2,7.4),(8,108,5,6.1),(9,108,5,5.5),(9,109,3,5.0),(9,112,4,4.2),(10,101,4,0.3),(11,107,2,8.7),(11,106,5,7.9),(12,110,5,9.2);
