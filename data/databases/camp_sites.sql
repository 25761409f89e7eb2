-- Camp sites in several regions, their pitches, the guests and their stays.
CREATE TABLE region (Region_ID INTEGER PRIMARY KEY, Name TEXT, Country TEXT, Area REAL, Climate TEXT);
CREATE TABLE camp_site (Site_ID INTEGER PRIMARY KEY, Name TEXT, Region_ID INTEGER, Stars INTEGER, Opening_Year INTEGER, Setting TEXT, FOREIGN KEY (Region_ID) REFERENCES region(Region_ID));
CREATE TABLE pitch (Pitch_ID INTEGER PRIMARY KEY, Site_ID INTEGER, Kind TEXT, Surface REAL, Has_Power TEXT, Night_Price REAL, FOREIGN KEY (Site_ID) REFERENCES camp_site(Site_ID));
CREATE TABLE guest (Guest_ID INTEGER PRIMARY KEY, Name TEXT, Age INTEGER, Country TEXT);
CREATE TABLE stay (Stay_ID INTEGER PRIMARY KEY, Pitch_ID INTEGER, Guest_ID INTEGER, Arrival TEXT, Nights INTEGER, Persons INTEGER, Rating REAL, FOREIGN KEY (Pitch_ID) REFERENCES pitch(Pitch_ID), FOREIGN KEY (Guest_ID) REFERENCES guest(Guest_ID));
INSERT INTO region VALUES
(1,'Lake Plateau','Sweden',3120.5,'cool'),(2,'Azure Coast','France',845.2,'warm'),(3,'Pine Heights','Austria',1960,'alpine'),(4,'Salt Marshes','France',1275.8,'mild'),(5,'Fjord End','Norway',2410.3,'cool'),(6,'Sun Terraces','Croatia',690.4,'warm'),(7,'Iron Valley','Austria',1105,'alpine'),(8,'Windy Isles','Sweden',358.7,'mild');
INSERT INTO camp_site VALUES
(1,'Elk Shore',1,4,1974,'lake'),(2,'Birch Bay',1,3,1988,'lake'),(3,'Les Mimosas',2,5,1969,'beach'),(4,'Le Petit Phare',2,3,1992,'beach'),(5,'Almwiese',3,4,2003,'mountain'),(6,'Bergfried',3,2,1981,'forest'),(7,'Dune Blanche',4,3,2010,'beach'),(8,'Storvik',5,4,1996,'lake'),(9,'Trollbu',5,2,1965,'forest'),(10,'Oliva',6,5,2016,'beach'),(11,'Kamenica',6,3,1978,'forest'),(12,'Gull Rock',8,NULL,2021,'beach');
INSERT INTO pitch VALUES
(1,1,'tent',60,'no',22.5),(2,1,'caravan',95,'yes',38),(3,1,'cabin',28,'yes',74),(4,2,'tent',70,'no',17),(5,3,'caravan',110,'yes',62.5),(6,3,'cabin',35,'yes',128),(7,4,'tent',55,'yes',29),(8,5,'caravan',90,'yes',44.5),(9,5,'tent',50,'no',24),(10,6,'tent',80,'no',13.5),(11,7,'caravan',100,'yes',36),(12,8,'cabin',30,'yes',81),(13,8,'tent',65,'no',20),(14,10,'cabin',42,'yes',145),(15,10,'caravan',120,'yes',71),(16,11,'tent',75,NULL,18.5);
INSERT INTO guest VALUES
(1,'Lars Ekdal',47,'Sweden'),(2,'Monique Sard',62,'France'),(3,'Jonas Pichler',33,'Austria'),(4,'Ella Wray',28,'England'),(5,'Hendrik Poot',55,'Netherlands'),(6,'Klara Juric',39,'Croatia'),(7,'Sofie Bakke',44,'Norway'),(8,'Tim Redgrove',36,'England'),(9,'Wilma Ruiter',69,'Netherlands'),(10,'Benoit Caye',24,'France'),(11,'Anke Stolz',51,NULL);
INSERT INTO stay VALUES
(1,2,5,'2022-06-11',9,2,4.5),(2,1,4,'2022-06-18',3,2,3.8),(3,3,1,'2022-07-02',7,4,4.7),(4,4,8,'2022-07-05',2,1,3.1),(5,5,9,'2022-06-25',16,2,4.9),(6,6,2,'2022-07-16',10,5,4.2),(7,6,5,'2022-08-06',8,4,4.4),(8,7,10,'2022-07-23',4,3,3.5),(9,8,3,'2022-07-30',6,2,4.6),(10,9,8,'2022-08-13',5,2,4),(11,10,10,'2022-08-20',1,1,2.4),(12,11,9,'2022-05-28',12,2,4.1),(13,12,7,'2022-07-09',7,6,4.8),(14,13,4,'2022-08-02',3,2,NULL),(15,14,6,'2022-08-27',5,4,5),(16,15,5,'2022-09-03',14,2,4.3),(17,2,7,'2022-08-15',4,3,3.9),(18,5,2,'2022-09-10',6,2,4.65);
