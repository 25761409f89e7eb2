-- A patent register with firms, inventors, patents and citations between patents.
CREATE TABLE firm (
  id INTEGER PRIMARY KEY,
  name TEXT,
  country TEXT,
  sector TEXT
);
CREATE TABLE inventor (
  id INTEGER PRIMARY KEY,
  name TEXT,
  country TEXT,
  birth_year INTEGER
);
CREATE TABLE patent (
  id INTEGER PRIMARY KEY,
  title TEXT,
  firm_id INTEGER REFERENCES firm(id),
  field TEXT,
  filed TEXT,
  granted TEXT,
  claims INTEGER
);
CREATE TABLE patent_inventor (
  patent_id INTEGER REFERENCES patent(id),
  inventor_id INTEGER REFERENCES inventor(id),
  share REAL,
  PRIMARY KEY (patent_id, inventor_id)
);
CREATE TABLE citation (
  citing_id INTEGER REFERENCES patent(id),
  cited_id INTEGER REFERENCES patent(id),
  year INTEGER,
  PRIMARY KEY (citing_id, cited_id)
);
INSERT INTO firm VALUES
(1,'Arclite Motors','Germany','automotive'),
(2,'Biovanta','Switzerland','pharma'),
(3,'Kestrel Optics','UK','optics'),
(4,'Sanwa Robotics','Japan','machinery'),
(5,'Tesselar','USA','electronics'),
(6,'Hydralis','Germany','machinery'),
(7,'Moonseed','USA','pharma'),
(8,'Old Kiln Ceramics','UK','materials'),
(9,'Fuyo Cells','Japan','electronics');
INSERT INTO inventor VALUES
(1,'Gerd Altmann','Germany',1958),
(2,'Misaki Endo','Japan',1981),
(3,'Philippa Hurst','UK',1969),
(4,'Rafael Quint','USA',1975),
(5,'Sonja Meili','Switzerland',1972),
(6,'Takeo Mori','Japan',1950),
(7,'Ursula Brandl','Germany',1985),
(8,'Vikram Shah','USA',1988),
(9,'Wendy Colgan','UK',1962),
(10,'Xavier Blanc','Switzerland',1991),
(11,'Yara Haddad','USA',NULL);
INSERT INTO patent VALUES
(1,'solid state battery',9,'energy','2012-03-14','2015-07-01',24),
(2,'folding wing mirror',1,'transport','2009-10-02','2012-01-19',11),
(3,'insulin patch',2,'medicine','2014-05-27','2018-09-12',32),
(4,'low glare lens',3,'optics','2010-02-08','2013-04-30',15),
(5,'six axis gripper',4,'robotics','2013-11-21','2016-10-05',28),
(6,'heat pump valve',6,'energy','2015-08-17','2018-02-22',9),
(7,'battery cooling plate',1,'energy','2017-01-30','2020-06-16',19),
(8,'nasal vaccine spray',7,'medicine','2018-04-11',NULL,41),
(9,'adaptive headlight',1,'optics','2016-06-06','2019-03-28',17),
(10,'touch glove',5,'robotics','2019-09-23','2022-12-13',22),
(11,'ceramic bearing',8,'transport','2008-12-01','2011-05-10',7),
(12,'fruit picking arm',4,'robotics','2020-02-19',NULL,36),
(13,'charging connector',5,'energy','2016-10-25','2018-11-07',13),
(14,'dissolving capsule',2,'medicine','2011-07-05','2014-03-26',20),
(15,'pocket spectrometer',3,'optics','2021-03-03',NULL,NULL);
INSERT INTO patent_inventor VALUES
(1,2,0.6),(1,6,0.4),(2,1,1.0),(3,5,0.7),(3,10,0.3),
(4,3,0.5),(4,9,0.5),(5,6,0.8),(5,2,0.2),(6,7,1.0),
(7,1,0.45),(7,7,0.55),(8,8,NULL),(8,4,NULL),(9,1,0.35),(9,3,0.65),
(10,4,0.75),(10,8,0.25),(11,9,1.0),(12,2,0.9),(12,6,0.1),
(13,4,1.0),(14,5,1.0),(15,3,0.85);
INSERT INTO citation VALUES
(7,1,2017),(13,1,2016),(9,4,2016),(9,2,2017),
(10,5,2019),(12,5,2020),(12,10,2021),(3,14,2014),
(8,3,2018),(8,14,2018),(7,6,2018),(15,4,2021),
(15,9,2022),(5,11,2014),(13,7,NULL);
