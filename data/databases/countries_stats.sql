-- Invented countries with their continents, largest cities, languages and yearly statistics.
CREATE TABLE continent (
  Continent_ID INTEGER PRIMARY KEY,
  Name TEXT,
  Area REAL
);
CREATE TABLE country (
  Country_ID INTEGER PRIMARY KEY,
  Name TEXT,
  Official_Name TEXT,
  Continent_ID INTEGER,
  Government TEXT,
  Independence_Year INTEGER,
  Area REAL,
  FOREIGN KEY (Continent_ID) REFERENCES continent(Continent_ID)
);
CREATE TABLE city (
  City_ID INTEGER PRIMARY KEY,
  Name TEXT,
  Country_ID INTEGER,
  Population INTEGER,
  Is_Capital TEXT,
  FOREIGN KEY (Country_ID) REFERENCES country(Country_ID)
);
CREATE TABLE spoken_language (
  Country_ID INTEGER,
  Language TEXT,
  Percentage REAL,
  Official TEXT,
  PRIMARY KEY (Country_ID, Language),
  FOREIGN KEY (Country_ID) REFERENCES country(Country_ID)
);
CREATE TABLE yearly_stat (
  Stat_ID INTEGER PRIMARY KEY,
  Country_ID INTEGER,
  Year INTEGER,
  Population INTEGER,
  GDP REAL,
  Life_Expectancy REAL,
  FOREIGN KEY (Country_ID) REFERENCES country(Country_ID)
);
INSERT INTO continent VALUES
(1,'Arvenia',9.8),
(2,'Tolmar',17.2),
(3,'Southreach',6.4),
(4,'Isles of Quen',0.9),
(5,'Frostland',11.5);
INSERT INTO country VALUES
(1,'Belmora','Republic of Belmora',1,'republic',1821,412000),
(2,'Castane','Kingdom of Castane',1,'monarchy',NULL,188500),
(3,'Drovia','Federation of Drovia',2,'federation',1918,2350000),
(4,'Elisandre','Republic of Elisandre',1,'republic',1848,96400),
(5,'Farun','Sultanate of Farun',2,'monarchy',1932,754000),
(6,'Gallowe','Commonwealth of Gallowe',4,'republic',1971,12300),
(7,'Hestia','Federal States of Hestia',3,'federation',1903,1640000),
(8,'Ilmar','Principality of Ilmar',4,'monarchy',1975,3800),
(9,'Jorun','Republic of Jorun',2,'republic',1960,538000),
(10,'Kethra','Union of Kethra',3,'federation',1960,890000),
(11,'Lorne','Republic of Lorne',2,'republic',1991,67200);
INSERT INTO city VALUES
(1,'Port Belm',1,2140000,'yes'),
(2,'Sarrow',1,865000,'no'),
(3,'Castane City',2,1320000,'yes'),
(4,'Drovgrad',3,7450000,'yes'),
(5,'Velny',3,3180000,'no'),
(6,'Osk',3,1490000,'no'),
(7,'Lisand',4,690000,'yes'),
(8,'Al Farun',5,4020000,'yes'),
(9,'Gall Bay',6,128000,'yes'),
(10,'Hestor',7,1770000,'yes'),
(11,'New Tarn',7,5360000,'no'),
(12,'Ilm',8,31000,'yes'),
(13,'Jorunda',9,2890000,'yes'),
(14,'Keth',10,985000,'yes'),
(15,'Mbara',10,3675000,'no');
INSERT INTO spoken_language VALUES
(1,'Belmoran',91.5,'yes'),(1,'Castani',6.2,'no'),
(2,'Castani',88.0,'yes'),(2,'Belmoran',9.4,'yes'),
(3,'Drovic',74.3,'yes'),(3,'Velnish',18.8,'yes'),(3,'Osken',4.1,'no'),
(4,'Belmoran',97.1,'yes'),
(5,'Faruni',82.6,'yes'),(5,'Drovic',11.7,'no'),
(6,'Quenish',69.9,'yes'),(6,'Castani',28.4,'yes'),
(7,'Hestian',58.2,'yes'),(7,'Castani',33.5,'yes'),
(8,'Quenish',95.3,'yes'),
(9,'Faruni',41.0,'no'),(9,'Drovic',52.9,'yes'),
(10,'Hestian',23.6,'yes'),(10,'Kethi',70.8,'yes');
INSERT INTO yearly_stat VALUES
(1,1,2010,11800000,212.4,76.1),(2,1,2020,12450000,298.7,78.9),
(3,2,2010,6900000,305.1,80.2),(4,2,2020,7130000,361.9,82.0),
(5,3,2010,64200000,890.5,68.4),(6,3,2020,61700000,1204.3,71.7),
(7,4,2010,3350000,71.6,77.3),(8,4,2020,3280000,88.2,79.6),
(9,5,2010,22100000,540.8,72.5),(10,5,2020,27900000,702.6,75.0),
(11,6,2020,310000,4.9,73.8),
(12,7,2010,38600000,1150.2,79.4),(13,7,2020,43300000,1522.0,81.3),
(14,8,2020,54000,NULL,83.1),
(15,9,2010,18400000,95.3,63.9),(16,9,2020,23650000,141.1,67.2),
(17,10,2010,29500000,118.7,59.8),(18,10,2020,37200000,187.5,NULL);
