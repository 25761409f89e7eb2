-- A haulage firm's fleet records with depots, trucks, drivers, trips and fuel stops.
CREATE TABLE dpt (
  dpt_cd TEXT PRIMARY KEY,
  dpt_nm TEXT,
  ctry TEXT,
  bay_cnt INTEGER
);
CREATE TABLE trk (
  trk_no INTEGER PRIMARY KEY,
  make TEXT,
  mdl_yr INTEGER,
  max_kg INTEGER,
  dpt_cd TEXT,
  stat TEXT,
  FOREIGN KEY (dpt_cd) REFERENCES dpt(dpt_cd)
);
CREATE TABLE drv (
  drv_no INTEGER PRIMARY KEY,
  drv_nm TEXT,
  dob TEXT,
  lic_cls TEXT,
  dpt_cd TEXT,
  FOREIGN KEY (dpt_cd) REFERENCES dpt(dpt_cd)
);
CREATE TABLE trip (
  trip_no INTEGER PRIMARY KEY,
  trk_no INTEGER,
  drv_no INTEGER,
  org_cd TEXT,
  dst_cd TEXT,
  dep_dt TEXT,
  dist_km INTEGER,
  load_kg INTEGER,
  FOREIGN KEY (trk_no) REFERENCES trk(trk_no),
  FOREIGN KEY (drv_no) REFERENCES drv(drv_no),
  FOREIGN KEY (org_cd) REFERENCES dpt(dpt_cd),
  FOREIGN KEY (dst_cd) REFERENCES dpt(dpt_cd)
);
CREATE TABLE fuel (
  fuel_id INTEGER PRIMARY KEY,
  trip_no INTEGER,
  ltr REAL,
  amt REAL,
  FOREIGN KEY (trip_no) REFERENCES trip(trip_no)
);
INSERT INTO dpt VALUES
('BRN','Brno','Czechia',14),
('GRZ','Graz','Austria',9),
('KAT','Katowice','Poland',26),
('KOS','Kosice','Slovakia',7),
('LNZ','Linz','Austria',18),
('OST','Ostrava','Czechia',12),
('POZ','Poznan','Poland',31),
('ZIL','Zilina','Slovakia',10);
INSERT INTO trk VALUES
(301,'Volta',2016,18000,'BRN','active'),
(302,'Volta',2019,24000,'KAT','active'),
(303,'Steyrer',2014,12000,'GRZ','repair'),
(304,'Manx',2021,26500,'POZ','active'),
(305,'Manx',2018,24000,'LNZ','active'),
(306,'Steyrer',2022,7500,'LNZ','active'),
(307,'Tatran',2009,16000,'OST','sold'),
(308,'Tatran',2017,20000,'ZIL','active'),
(309,'Volta',2023,27000,'POZ','active'),
(310,'Manx',2020,11500,'KOS','repair'),
(311,'Steyrer',2024,25500,NULL,'new');
INSERT INTO drv VALUES
(71,'Radek Kolar','1979-04-18','CE','BRN'),
(72,'Agata Lis','1988-12-01','CE','KAT'),
(73,'Franz Huber','1966-07-23','C','GRZ'),
(74,'Piotr Wilk','1992-02-14','CE','POZ'),
(75,'Sepp Moser','1974-10-09','CE','LNZ'),
(76,'Vera Sykora','1985-05-27','C1','OST'),
(77,'Juraj Balaz','1970-01-30','CE','ZIL'),
(78,'Ewa Banas','1996-08-06','C','POZ'),
(79,'Matej Hric','1990-03-12','C1','KOS'),
(80,'Karl Egger','1961-11-20','CE',NULL);
INSERT INTO trip VALUES
(1,301,71,'BRN','LNZ','2024-02-01',246,14200),
(2,302,72,'KAT','POZ','2024-02-02',388,21350),
(3,304,74,'POZ','BRN','2024-02-03',431,25100),
(4,305,75,'LNZ','GRZ','2024-02-05',219,17800),
(5,306,73,'GRZ','LNZ','2024-02-06',221,6100),
(6,308,77,'ZIL','KOS','2024-02-08',258,15950),
(7,309,78,'POZ','LNZ','2024-02-09',712,26200),
(8,302,72,'POZ','KAT','2024-02-10',390,8900),
(9,301,76,'LNZ','OST','2024-02-12',402,12700),
(10,304,74,'BRN','KAT','2024-02-13',237,19600),
(11,308,77,'KOS','KAT','2024-02-15',334,11200),
(12,310,79,'KOS','ZIL','2024-02-16',256,9850),
(13,305,75,'GRZ','BRN','2024-02-19',338,22400),
(14,309,74,'LNZ','POZ','2024-02-20',709,23750),
(15,301,71,'OST','BRN','2024-02-22',170,NULL),
(16,302,78,'KAT','ZIL','2024-02-23',148,20050),
(17,306,75,'LNZ','BRN','2024-02-26',249,5400),
(18,308,72,'ZIL','POZ','2024-02-28',476,18300);
INSERT INTO fuel VALUES
(1,2,118.4,177.6),(2,3,142.0,214.4),
(3,6,75.5,117.8),(4,7,205.3,312.0),
(5,7,96.1,151.9),(6,9,110.7,169.4),
(7,10,69.2,103.1),(8,11,104.9,160.5),
(9,13,121.6,188.5),(10,14,238.8,358.2),
(11,14,52.4,81.7),(12,18,151.3,NULL),
(13,1,80.0,124.8),(14,4,73.7,115.7);
