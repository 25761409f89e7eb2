-- A forest inventory: districts, sample plots, tree species and the trees measured on each plot.
CREATE TABLE dist (
  dist_cd TEXT PRIMARY KEY,
  dist_nm TEXT,
  area_ha REAL,
  rngr TEXT
);
CREATE TABLE plot (
  plot_no INTEGER PRIMARY KEY,
  dist_cd TEXT NOT NULL REFERENCES dist(dist_cd),
  elev_m INTEGER,
  slope_deg REAL,
  soil_typ TEXT,
  est_yr INTEGER
);
CREATE TABLE spp (
  spp_cd TEXT PRIMARY KEY,
  com_nm TEXT,
  genus TEXT,
  wood_dens REAL,
  grp_cd TEXT
);
CREATE TABLE tree (
  tree_no INTEGER PRIMARY KEY,
  plot_no INTEGER NOT NULL REFERENCES plot(plot_no),
  spp_cd TEXT NOT NULL REFERENCES spp(spp_cd),
  dbh_cm REAL,
  ht_m REAL,
  hlth_cd TEXT,
  meas_dt TEXT
);
INSERT INTO dist VALUES
('AL','Alder Flats',1240.5,'Pruitt'),('BR','Bramble Ridge',3875,'Osgood'),('CW','Cold Water',2210.8,'Pruitt'),('DH','Deer Hollow',960.2,'Nakai'),('EP','Eagle Pass',5420,'Osgood'),
('FG','Fern Gully',1785.3,'Tobin'),('GM','Granite Mount',6130.7,'Nakai'),('HB','Heron Bog',415,NULL);
INSERT INTO plot VALUES
(1,'AL',310,2.5,'peat',1996),(2,'AL',345,4,'loam',1996),(3,'BR',720,18.5,'loam',1999),(4,'BR',805,22,'gravel',2001),(5,'CW',540,9.5,'clay',2001),(6,'CW',575,12,'loam',2004),
(7,'DH',430,7,'clay',2007),(8,'EP',1120,31,'gravel',2010),(9,'EP',1265,27.5,'gravel',2010),(10,'FG',390,5.5,'peat',2013),(11,'GM',1480,35,NULL,2016),(12,'FG',415,8,'loam',2019);
INSERT INTO spp VALUES
('SPR','Norway spruce','Picea',0.38,'conifer'),('FIR','Silver fir','Abies',0.41,'conifer'),('PIN','Scots pine','Pinus',0.45,'conifer'),('LAR','European larch','Larix',0.52,'conifer'),('BEE','Beech','Fagus',0.64,'broadleaf'),
('OAK','Sessile oak','Quercus',0.67,'broadleaf'),('BIR','Silver birch','Betula',0.57,'broadleaf'),('ALD','Black alder','Alnus',0.49,'broadleaf'),('MAP','Sycamore maple','Acer',0.55,'broadleaf'),('YEW','Yew','Taxus',0.62,'conifer');
INSERT INTO tree VALUES
(1,1,'ALD',24.3,17.2,'good','2022-05-11'),(2,1,'BIR',18.9,15.4,'fair','2022-05-11'),(3,1,'ALD',31.6,19.8,'good','2022-05-11'),(4,2,'OAK',52.7,23.1,'good','2022-05-13'),(5,2,'MAP',27.4,18,'poor','2022-05-13'),
(6,3,'BEE',44.1,27.6,'good','2022-06-02'),(7,3,'BEE',58.8,31.2,'fair','2022-06-02'),(8,3,'SPR',36.5,26.3,'good','2022-06-02'),(9,4,'PIN',29.2,16.9,'fair','2022-06-04'),(10,4,'BIR',14.6,11.7,'dead','2022-06-04'),
(11,5,'OAK',67.3,25.9,'good','2022-07-19'),(12,5,'MAP',33.8,21.5,'good','2022-07-19'),(13,6,'FIR',48.2,33.4,'good','2022-07-20'),(14,6,'SPR',41.9,30.1,'poor','2022-07-20'),(15,7,'BEE',39.7,24.8,'fair','2023-05-08'),
(16,7,'OAK',71.5,28.3,'poor','2023-05-08'),(17,8,'LAR',34.4,20.6,'good','2023-06-27'),(18,8,'SPR',22.1,14.2,'dead','2023-06-27'),(19,9,'LAR',28.7,17.5,'fair','2023-06-28'),(20,9,'PIN',25.3,12.9,'good','2023-06-28'),
(21,10,'ALD',20.8,14.9,'good','2023-08-15'),(22,10,'BIR',16.2,13.3,'good','2023-08-15'),(23,11,'PIN',19.5,7.8,'fair','2023-09-03'),(24,6,'FIR',55.4,NULL,'dead','2023-09-10'),(25,3,'FIR',30.9,22.7,NULL,'2023-09-14'),(26,12,'MAP',37.1,19.2,'fair','2023-09-21'),(27,12,'BEE',46.8,26.9,'good','2023-09-21');
