-- The fleet of several airlines: aircraft models, individual aircraft, the airports they fly between and their maintenance checks.
CREATE TABLE airlines (airline_id INTEGER PRIMARY KEY, airline_name TEXT, country TEXT, founded_year INTEGER, alliance TEXT);
CREATE TABLE airports (airport_id INTEGER PRIMARY KEY, iata_code TEXT, city TEXT, country TEXT, elevation_m INTEGER);
CREATE TABLE models (model_id INTEGER PRIMARY KEY, maker TEXT, model_name TEXT, seats INTEGER, range_km INTEGER, engine_type TEXT);
CREATE TABLE aircraft (aircraft_id INTEGER PRIMARY KEY, registration TEXT NOT NULL, model_id INTEGER NOT NULL REFERENCES models(model_id), airline_id INTEGER NOT NULL REFERENCES airlines(airline_id), delivery_date TEXT, flight_hours REAL, status TEXT);
CREATE TABLE routes (route_id INTEGER PRIMARY KEY, airline_id INTEGER REFERENCES airlines(airline_id), origin_id INTEGER REFERENCES airports(airport_id), destination_id INTEGER REFERENCES airports(airport_id), distance_km INTEGER, weekly_flights INTEGER);
CREATE TABLE checks (check_id INTEGER PRIMARY KEY, aircraft_id INTEGER REFERENCES aircraft(aircraft_id), check_date TEXT, check_level TEXT, cost REAL);
INSERT INTO airlines VALUES
(1,'Norwind','Norway',1987,'Blue Circle'),(2,'Aerolago','Italy',1999,NULL),(3,'Tagus Air','Portugal',1974,'Blue Circle'),(4,'Polar Jet','Norway',2006,NULL),(5,'Rhine Express','Germany',1992,'Sky Union'),(6,'Costa Alada','Portugal',2011,'Sky Union'),(7,'Vulcan Airways','Italy',1981,'Blue Circle'),(8,'Baltica','Germany',2017,NULL);
INSERT INTO airports VALUES
(1,'OSL','Oslo','Norway',208),(2,'BGO','Bergen','Norway',52),(3,'LIS','Lisbon','Portugal',114),(4,'OPO','Porto','Portugal',69),(5,'FRA','Frankfurt','Germany',111),(6,'MUC','Munich','Germany',453),(7,'FCO','Rome','Italy',5),(8,'MXP','Milan','Italy',234),(9,'FNC','Funchal','Portugal',58),(10,'TOS','Tromso','Norway',10);
INSERT INTO models VALUES
(1,'Kestrel','K-200',112,3100,'turbofan'),(2,'Kestrel','K-350',186,6200,'turbofan'),(3,'Dorada','D70',72,1450,'turboprop'),(4,'Dorada','D48',48,1200,'turboprop'),(5,'Halden','H9 Longreach',298,13600,'turbofan'),(6,'Halden','H7',244,11200,'turbofan'),(7,'Kestrel','K-100',94,2600,'turbofan'),(8,'Merlin','Hopper 19',19,800,'turboprop');
INSERT INTO aircraft VALUES
(1,'LN-NWA',2,1,'2012-04-17',31250.5,'active'),(2,'LN-NWB',2,1,'2014-09-02',26890.0,'active'),(3,'LN-NWC',5,1,'2018-06-21',17420.3,'maintenance'),(4,'I-LAGA',1,2,'2009-03-11',38110.2,'stored'),(5,'I-LAGB',3,2,'2015-11-30',19305.7,'active'),(6,'CS-TGA',6,3,'2016-01-19',28944.1,'active'),(7,'CS-TGB',2,3,'2011-07-08',35677.9,'active'),(8,'LN-PJA',3,4,'2010-10-25',27013.4,'active'),(9,'LN-PJB',4,4,'2007-05-14',33480.8,'stored'),(10,'D-REXA',1,5,'2013-02-28',25560.0,'active'),(11,'D-REXB',7,5,'2019-08-06',11902.6,'active'),(12,'D-REXC',5,5,'2020-12-15',9875.2,'maintenance'),(13,'CS-CAA',7,6,'2012-09-09',24018.5,'active'),(14,'I-VULA',6,7,'2008-06-03',47230.9,'stored'),(15,'I-VULB',2,7,'2021-03-24',7640.0,'active'),(16,'I-VULC',1,7,NULL,NULL,'ordered');
INSERT INTO routes VALUES
(1,1,1,5,1105,14),(2,1,1,2,325,42),(3,1,1,7,2008,7),(4,2,8,7,511,21),(5,2,8,5,518,10),(6,3,3,4,277,35),(7,3,3,1,2741,5),(8,4,2,10,1089,12),(9,4,1,10,1115,19),(10,5,5,6,299,38),(11,5,5,3,1875,11),(12,6,4,9,1188,9),(13,6,3,9,964,28),(14,7,7,6,733,13),(15,7,7,3,1843,6);
INSERT INTO checks VALUES
(1,1,'2022-02-10','A',48000),(2,1,'2023-05-18','B',126500),(3,2,'2023-01-22','A',51200),(4,3,'2024-03-05','C',940000),(5,5,'2022-11-14','A',22750),(6,6,'2023-08-30','C',812400),(7,7,'2022-06-19','B',133900),(8,7,'2024-01-12','A',49900),(9,8,'2023-10-03','A',24100),(10,10,'2023-04-27','B',98700),(11,12,'2024-02-16','C',1015000),(12,13,'2022-09-08','A',39850),(13,14,'2021-12-01','C',1187300),(14,15,'2024-04-09','A',50600);
