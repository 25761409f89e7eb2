-- Print jobs of a printing house: clients, presses, paper stocks and press runs.
CREATE TABLE clnt (
  clnt_id INTEGER PRIMARY KEY,
  clnt_nm TEXT NOT NULL,
  sect TEXT,
  cred_lim REAL,
  disc_pct REAL
);
CREATE TABLE ppr (
  ppr_cd TEXT PRIMARY KEY,
  ppr_nm TEXT,
  gsm INTEGER,
  fin TEXT,
  cost_ream REAL
);
CREATE TABLE prs (
  prs_no INTEGER PRIMARY KEY,
  prs_nm TEXT,
  meth TEXT,
  yr_built INTEGER,
  max_sph INTEGER
);
CREATE TABLE prt_job (
  job_id INTEGER PRIMARY KEY,
  clnt_id INTEGER NOT NULL REFERENCES clnt(clnt_id),
  ppr_cd TEXT REFERENCES ppr(ppr_cd),
  prod TEXT,
  copies INTEGER,
  ord_dt TEXT,
  due_dt TEXT,
  amt REAL
);
CREATE TABLE prs_run (
  run_id INTEGER PRIMARY KEY,
  job_id INTEGER NOT NULL REFERENCES prt_job(job_id),
  prs_no INTEGER NOT NULL REFERENCES prs(prs_no),
  run_dt TEXT,
  shift TEXT,
  shts INTEGER,
  waste INTEGER
);
INSERT INTO clnt VALUES
(1,'Aldgate Books','publishing',20000.0,7.5),
(2,'Ferro Wines','retail',6000.0,0.0),
(3,'Borough Council','public',30000.0,10.0),
(4,'Lyra Theatre','culture',4500.0,5.0),
(5,'Mason Maps','publishing',15000.0,6.0),
(6,'Green Pantry','retail',3500.0,NULL),
(7,'City Gallery','culture',9000.0,4.0),
(8,'Tarn College','public',12000.0,8.0),
(9,'Pixie Toys','retail',7500.0,2.5);
INSERT INTO ppr VALUES
('OF80','Offset White',80,'uncoated',4.9),
('OF12','Offset Heavy',120,'uncoated',7.6),
('GL13','Gloss Art',130,'gloss',9.4),
('GL25','Gloss Cover',250,'gloss',17.8),
('MT15','Matt Art',150,'matt',11.2),
('MT30','Matt Board',300,'matt',22.5),
('RC90','Recycled',90,'uncoated',6.1),
('LB70','Label Stock',70,'gloss',14.3);
INSERT INTO prs VALUES
(1,'Big Bertha','offset',1996,9000),
(2,'Heidi','offset',2008,13000),
(3,'Komet','offset',2014,16500),
(4,'Flash','digital',2018,4200),
(5,'Nova','digital',2021,5600),
(6,'Roller','flexo',2003,11000),
(7,'Old Tom','letterpress',1958,1500),
(8,'Iris','digital',2023,6300);
INSERT INTO prt_job VALUES
(301,1,'OF80','book',3500,'2023-02-01','2023-03-15',11840.0),
(302,2,'LB70','label',24000,'2023-02-06','2023-02-20',2310.0),
(303,3,'RC90','leaflet',60000,'2023-02-14','2023-03-01',5675.0),
(304,4,'GL13','poster',800,'2023-02-20','2023-02-27',940.0),
(305,5,'MT15','map',7000,'2023-03-02','2023-04-05',8260.0),
(306,1,'OF12','book',1200,'2023-03-10','2023-04-28',6490.0),
(307,6,'RC90','leaflet',9000,'2023-03-17','2023-03-24',715.0),
(308,7,'MT30','poster',450,'2023-03-21','2023-04-03',1380.0),
(309,8,'OF80','book',650,'2023-04-04','2023-05-12',3925.0),
(310,3,'GL13','leaflet',42000,'2023-04-11','2023-04-25',4890.0),
(311,2,'LB70','label',31000,'2023-04-19','2023-05-03',2785.0),
(312,4,'GL25','poster',1500,'2023-05-02','2023-05-10',1560.0),
(313,5,NULL,'map',2600,'2023-05-08',NULL,3340.0),
(314,7,'MT15','book',2000,'2023-05-15','2023-07-01',9875.0);
INSERT INTO prs_run VALUES
(1,301,1,'2023-02-20','day',28500,640),(2,301,2,'2023-02-22','night',31200,510),
(3,302,6,'2023-02-13','day',8100,220),(4,303,3,'2023-02-21','night',15300,305),
(5,303,3,'2023-02-22','day',14850,260),(6,304,4,'2023-02-24','day',830,30),
(7,305,2,'2023-03-20','day',7350,190),(8,305,3,'2023-03-21','night',6900,145),
(9,306,1,'2023-04-03','day',19600,720),(10,307,5,'2023-03-20','day',2300,45),
(11,308,7,'2023-03-29','day',490,41),(12,309,1,'2023-04-24','night',10400,385),
(13,310,3,'2023-04-17','night',21700,400),(14,311,6,'2023-04-26','day',10500,275),
(15,312,5,'2023-05-08','night',1545,38),(16,314,2,'2023-06-01','day',26000,480),
(17,314,3,'2023-06-03','night',24400,NULL);
