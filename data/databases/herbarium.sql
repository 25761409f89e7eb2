-- A herbarium of pressed plants: families, species, collectors, specimens and their loans to institutes.
CREATE TABLE Family (
  Family_ID INTEGER PRIMARY KEY,
  Family_Name TEXT NOT NULL,
  Plant_Order TEXT
);
CREATE TABLE Species (
  Species_ID INTEGER PRIMARY KEY,
  Family_ID INTEGER NOT NULL,
  Latin_Name TEXT NOT NULL,
  Growth_Form TEXT,
  Flower_Colour TEXT,
  Red_List TEXT,
  FOREIGN KEY (Family_ID) REFERENCES Family(Family_ID)
);
CREATE TABLE Collector (
  Collector_ID INTEGER PRIMARY KEY,
  Full_Name TEXT NOT NULL,
  Nationality TEXT,
  Birth_Year INTEGER,
  Death_Year INTEGER
);
CREATE TABLE Specimen (
  Specimen_ID INTEGER PRIMARY KEY,
  Species_ID INTEGER NOT NULL,
  Collector_ID INTEGER,
  Identified_By INTEGER,
  Collected_On TEXT,
  Region TEXT,
  Altitude_M INTEGER,
  Quality TEXT,
  FOREIGN KEY (Species_ID) REFERENCES Species(Species_ID),
  FOREIGN KEY (Collector_ID) REFERENCES Collector(Collector_ID),
  FOREIGN KEY (Identified_By) REFERENCES Collector(Collector_ID)
);
CREATE TABLE Loan (
  Loan_ID INTEGER PRIMARY KEY,
  Specimen_ID INTEGER NOT NULL,
  Institute TEXT,
  Sent_On TEXT,
  Returned_On TEXT,
  FOREIGN KEY (Specimen_ID) REFERENCES Specimen(Specimen_ID)
);
INSERT INTO Family VALUES
(1,'Rosaceae','Rosales'),(2,'Asteraceae','Asterales'),(3,'Fabaceae','Fabales'),(4,'Orchidaceae','Asparagales'),(5,'Gentianaceae','Gentianales'),(6,'Campanulaceae','Asterales'),(7,'Ericaceae','Ericales'),(8,'Iridaceae','Asparagales');
INSERT INTO Species VALUES
(1,1,'Rosa canina','shrub','pink','least concern'),(2,1,'Dryas octopetala','dwarf shrub','white','least concern'),(3,2,'Arnica montana','herb','yellow','vulnerable'),(4,2,'Bellis perennis','herb','white','least concern'),(5,3,'Trifolium alpinum','herb','pink','least concern'),
(6,4,'Cypripedium calceolus','herb','yellow','near threatened'),(7,4,'Orchis militaris','herb','pink','near threatened'),(8,5,'Gentiana lutea','herb','yellow','vulnerable'),(9,5,'Gentiana verna','herb','blue','least concern'),(10,6,'Campanula barbata','herb','blue','least concern'),
(11,7,'Erica carnea','dwarf shrub','pink','least concern'),(12,7,'Arbutus unedo','tree','white','least concern'),(13,2,'Leontopodium nivale','herb','white','vulnerable'),(14,6,'Campanula thyrsoides','herb','yellow',NULL);
INSERT INTO Collector VALUES
(1,'Amalie Brugger','Austrian',1838,1907),(2,'Rev. Josiah Peck','British',1811,1879),(3,'Otmar Zell','Swiss',1872,1951),(4,'Giulia Tarroni','Italian',1904,1988),(5,'Edith Warbeck','British',1919,2006),(6,'Reto Caduff','Swiss',1947,NULL),(7,'Livia Moser','Austrian',1969,NULL),(8,'Nils Aubert','Swiss',1985,NULL),(9,'Carlo Benetti','Italian',1931,2014);
INSERT INTO Specimen VALUES
(1,1,2,2,'1846-06-14','Kent',85,'fair'),(2,8,1,3,'1871-07-22','Tyrol',1640,'good'),(3,3,1,1,'1874-07-05','Tyrol',1815,'poor'),(4,9,3,3,'1898-05-30','Valais',2210,'good'),(5,13,3,3,'1903-08-11','Valais',2675,'good'),(6,6,3,6,'1911-06-02','Grisons',1190,'fair'),
(7,12,4,4,'1932-11-19','Liguria',240,'good'),(8,7,4,9,'1936-05-08','Liguria',465,'fair'),(9,4,5,5,'1948-04-17','Kent',40,'good'),(10,2,6,6,'1973-07-13','Grisons',2340,'good'),(11,10,6,8,'1979-07-28','Grisons',1930,'fair'),(12,5,9,NULL,'1981-08-03','Aosta',2085,'poor'),
(13,11,7,7,'1996-03-24','Tyrol',720,'good'),(14,6,7,6,'2002-06-09','Tyrol',1055,'good'),(15,8,8,8,'2014-07-17','Valais',1770,'good'),(16,3,8,7,'2019-07-01','Grisons',1880,'good'),(17,1,NULL,5,'1890-06-21','Kent',NULL,'poor'),(18,13,6,3,'1949-08-20','Valais',2810,'fair');
INSERT INTO Loan VALUES
(1,2,'Alpine Institute','1987-02-10','1988-05-03'),(2,5,'Alpine Institute','1987-02-10','1987-11-26'),(3,1,'Weald Museum','1994-09-15','1995-03-01'),(4,6,'Orchid Society','2001-01-18','2001-08-09'),(5,14,'Orchid Society','2006-10-04','2007-02-20'),(6,8,'Orchid Society','2006-10-04','2009-06-12'),
(7,7,'Ligurian University','2010-03-22','2010-12-15'),(8,3,'Alpine Institute','2015-05-06','2016-01-11'),(9,16,'Northern Seed Bank','2020-02-25','2021-07-30'),(10,15,'Northern Seed Bank','2020-02-25',NULL),(11,10,'Alpine Institute','2022-04-12','2023-01-19'),(12,2,'Weald Museum','2023-06-14',NULL),(13,5,'Northern Seed Bank','2023-11-08',NULL);
