-- A town's bus network: depots, drivers, buses, lines, stops and trips.
CREATE TABLE depots (depot_id INTEGER PRIMARY KEY, depot_name TEXT, capacity INTEGER, opened_year INTEGER);
CREATE TABLE drivers (driver_id INTEGER PRIMARY KEY, driver_name TEXT, birth_date TEXT, hired_on TEXT, depot_id INTEGER REFERENCES depots(depot_id));
CREATE TABLE stops (stop_id INTEGER PRIMARY KEY, stop_name TEXT, zone TEXT, has_shelter TEXT);
CREATE TABLE bus_lines (line_id INTEGER PRIMARY KEY, line_number TEXT, first_stop_id INTEGER REFERENCES stops(stop_id), last_stop_id INTEGER REFERENCES stops(stop_id), length_km REAL, service_type TEXT);
CREATE TABLE buses (bus_id INTEGER PRIMARY KEY, plate TEXT, depot_id INTEGER REFERENCES depots(depot_id), fuel TEXT, seats INTEGER, built_year INTEGER);
CREATE TABLE trips (trip_id INTEGER PRIMARY KEY, line_id INTEGER REFERENCES bus_lines(line_id), bus_id INTEGER REFERENCES buses(bus_id), driver_id INTEGER REFERENCES drivers(driver_id), trip_date TEXT, passengers INTEGER, delay_min INTEGER);
INSERT INTO depots VALUES
(1,'Canal Street',42,1962),(2,'Hightown',28,1985),(3,'Ringway',60,2011),(4,'Ferry Lane',15,1949),(5,'Airport Road',35,2004),(6,'Brickfields',22,1971),(7,'Old Gasworks',18,1938),(8,'Beech Woods',12,2019);
INSERT INTO drivers VALUES
(1,'Lionel Bask','1968-02-14','1995-06-01',1),(2,'Teresa Wham','1981-10-22','2008-03-17',1),(3,'Abdi Warsame','1990-07-05','2016-09-05',2),(4,'Moira Cleary','1975-12-19','2002-01-14',2),(5,'Gustav Prell','1962-05-31','1989-11-20',3),(6,'Ewan Stubbs','1994-08-27','2019-04-08',3),(7,'Rosa Mendieta','1986-03-03','2012-07-23',3),(8,'Neville Ames','1979-01-25','2005-10-10',NULL),(9,'Jana Kubik','1998-11-11','2022-02-28',1);
INSERT INTO stops VALUES
(1,'Town Hall','A','yes'),(2,'Rail Station','A','yes'),(3,'Hospital','B','yes'),(4,'Hightown Cross','B','no'),(5,'Ferry Pier','C','yes'),(6,'Ringway Mall','C','yes'),(7,'Cemetery','B','no'),(8,'Airport','D','yes'),(9,'Beech Woods','D','no'),(10,'College','A',NULL);
INSERT INTO bus_lines VALUES
(1,'1',1,3,5.4,'regular'),(2,'4',2,4,7.9,'regular'),(3,'7A',1,6,11.3,'regular'),(4,'X8',2,8,24.6,'express'),(5,'12',5,9,18.2,'regular'),(6,'X20',6,8,15.7,'express'),(7,'N1',1,4,8.6,'night'),(8,'N5',2,5,10.1,'night'),(9,'15',10,7,6.8,'regular');
INSERT INTO buses VALUES
(1,'TBK 101',1,'diesel',44,2009),(2,'TBK 108',1,'hybrid',38,2017),(3,'TBK 115',1,'electric',35,2021),(4,'TBK 203',2,'diesel',46,2007),(5,'TBK 207',2,'diesel',41,2012),(6,'TBK 301',3,'electric',36,2022),(7,'TBK 302',3,'electric',36,2023),(8,'TBK 309',3,'hybrid',52,2018),(9,'TBK 314',3,'diesel',58,2014),(10,'TBK 400',4,'diesel',29,1998);
INSERT INTO trips VALUES
(1,1,1,1,'2023-09-04',61,2),(2,1,3,2,'2023-09-04',48,0),(3,2,4,3,'2023-09-04',73,5),(4,2,5,4,'2023-09-05',55,1),(5,3,8,5,'2023-09-04',92,9),(6,3,9,6,'2023-09-05',104,12),(7,4,8,7,'2023-09-04',39,3),(8,4,6,5,'2023-09-06',45,0),(9,5,2,9,'2023-09-05',27,4),(10,5,1,1,'2023-09-06',33,7),(11,6,7,6,'2023-09-06',58,1),(12,6,9,7,'2023-09-07',66,NULL),(13,7,4,4,'2023-09-07',14,0),(14,7,5,3,'2023-09-08',22,2),(15,8,2,2,'2023-09-08',19,6),(16,1,3,9,'2023-09-08',70,3),(17,3,8,5,'2023-09-08',87,15),(18,2,4,3,'2023-09-09',41,0);
