-- Census figures of counties and towns, their population by year, their main industries and their twin towns.
CREATE TABLE county (County_ID INTEGER PRIMARY KEY, Name TEXT, Region TEXT, Area REAL);
CREATE TABLE town (Town_ID INTEGER PRIMARY KEY, Official_Name TEXT, Status TEXT, County_ID INTEGER REFERENCES county(County_ID), Area_km2 REAL, Charter_Year INTEGER, Elevation INTEGER);
CREATE TABLE census (Town_ID INTEGER REFERENCES town(Town_ID), Year INTEGER, Population INTEGER, Households INTEGER, Median_Age REAL, PRIMARY KEY (Town_ID, Year));
CREATE TABLE industry (Industry_ID INTEGER PRIMARY KEY, Town_ID INTEGER REFERENCES town(Town_ID), Sector TEXT, Workers INTEGER);
CREATE TABLE twinning (Town_ID INTEGER REFERENCES town(Town_ID), Twin_ID INTEGER REFERENCES town(Town_ID), Since INTEGER, PRIMARY KEY (Town_ID, Twin_ID));
INSERT INTO county VALUES
(1,'Amberland','North',2415.6),(2,'Dunmoor','North',1880.2),(3,'Eastmarch','East',3102.9),(4,'Sallow','South',1254.4),(5,'Wyvern','West',2760),(6,'Corrie','West',945.7),(7,'Lowmere','South',NULL),(8,'Hexwold','East',1633.1);
INSERT INTO town VALUES
(1,'Amber','City',1,84.2,1187,46),(2,'Stanholt','Town',1,31.7,1342,120),(3,'Pikeford','Village',1,12.4,NULL,205),(4,'Dunmoor Abbey','Town',2,27.9,1265,311),(5,'Greywater','Village',2,9.8,1720,274),(6,'Marchester','City',3,112.5,1098,18),(7,'Tilney','Town',3,40.3,1406,7),(8,'Sallowby','Town',4,35.6,1521,63),(9,'Ormsea','City',4,67.1,1233,3),(10,'Wyvernham','City',5,95.4,1154,88),(11,'Coldbrook','Village',5,15,1833,190),(12,'Lyde','Town',5,22.8,1377,142),(13,'Corrie Cross','Village',6,7.3,1799,402),(14,'Hexwold','Town',8,29.2,1459,97),(15,'Nether Lowmere','Village',7,11.1,1688,29);
INSERT INTO census VALUES
(1,2001,148200,61350,38.4),(1,2011,156900,66120,39.7),(1,2021,163450,70480,40.9),(2,2011,18730,7910,42.3),(2,2021,19845,8560,43.8),(3,2021,1240,530,49.6),(4,2011,14615,6280,44.1),(4,2021,13980,6190,46.7),(5,2021,880,395,51.2),(6,2001,231700,95800,35.1),(6,2011,252340,106400,35.9),(6,2021,274880,117250,36.2),(7,2011,26510,11020,41.5),(7,2021,28075,11940,42.6),(8,2011,20160,8475,40.2),(8,2021,22390,9610,41.1),(9,2011,91850,41200,47),(9,2021,88420,40750,49.1),(10,2001,187650,76900,36.8),(10,2021,205300,86700,37.5),(11,2021,2105,860,45.4),(12,2011,12345,5080,43.2),(12,2021,12790,5395,NULL),(13,2021,612,288,53.7),(14,2011,16470,6840,42.1),(14,2021,17255,7305,43.4),(15,2021,1530,655,48.3);
INSERT INTO industry VALUES
(1,1,'Services',41200),(2,1,'Manufacturing',15830),(3,2,'Manufacturing',3920),(4,3,'Farming',260),(5,4,'Tourism',1875),(6,5,'Farming',145),(7,6,'Services',78400),(8,6,'Shipping',12650),(9,7,'Shipping',4310),(10,7,'Fishing',980),(11,8,'Services',5260),(12,9,'Tourism',14720),(13,9,'Fishing',1630),(14,10,'Manufacturing',22900),(15,10,'Services',49350),(16,11,'Farming',410),(17,12,'Manufacturing',2215),(18,13,'Tourism',NULL);
INSERT INTO twinning VALUES
(1,6,1958),(1,10,1974),(2,8,1986),(3,11,1999),(4,12,1967),(5,13,2004),(6,10,1961),(7,9,1992),(8,12,2010),(9,6,1979),(14,2,2015),(11,5,2001);
