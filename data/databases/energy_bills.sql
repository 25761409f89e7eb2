-- Households of an energy supplier with their tariffs, meters, meter readings and bills.
CREATE TABLE tariffs (
  tariff_id INTEGER PRIMARY KEY,
  tariff_name TEXT NOT NULL,
  fuel TEXT,
  unit_rate REAL,
  daily_charge REAL
);
CREATE TABLE households (
  household_id INTEGER PRIMARY KEY,
  holder_name TEXT NOT NULL,
  city TEXT,
  home_type TEXT,
  bedrooms INTEGER,
  has_solar INTEGER
);
CREATE TABLE meters (
  meter_id INTEGER PRIMARY KEY,
  household_id INTEGER NOT NULL REFERENCES households(household_id),
  tariff_id INTEGER NOT NULL REFERENCES tariffs(tariff_id),
  meter_type TEXT,
  installed_on TEXT
);
CREATE TABLE readings (
  reading_id INTEGER PRIMARY KEY,
  meter_id INTEGER NOT NULL REFERENCES meters(meter_id),
  read_on TEXT,
  kwh_used REAL,
  source TEXT
);
CREATE TABLE bills (
  bill_id INTEGER PRIMARY KEY,
  household_id INTEGER NOT NULL REFERENCES households(household_id),
  issued_on TEXT,
  amount_due REAL,
  paid_on TEXT
);
INSERT INTO tariffs VALUES
(1,'Basic Power','electricity',0.31,0.48),
(2,'Night Saver','electricity',0.26,0.55),
(3,'Green Power','electricity',0.34,0.42),
(4,'Basic Gas','gas',0.085,0.3),
(5,'Fixed Gas','gas',0.079,0.36),
(6,'Old Standard','gas',0.11,NULL);
INSERT INTO households VALUES
(1,'Arthur Kemp','Leaford','flat',1,0),
(2,'Bridget Sloan','Leaford','terraced',3,0),
(3,'Chen Wei','Hexley','detached',5,1),
(4,'Dolores Pike','Hexley','flat',2,0),
(5,'Eamon Furlong','Raybridge','semi',3,1),
(6,'Farah Aziz','Raybridge','terraced',2,0),
(7,'Gordon Nash','Leaford','detached',4,1),
(8,'Hilda Sorensen','Raybridge','semi',4,0),
(9,'Ivan Petrov','Hexley','flat',1,0),
(10,'June Abbott','Leaford','terraced',2,NULL);
INSERT INTO meters VALUES
(1,1,1,'standard','2009-05-18'),
(2,2,1,'smart','2019-08-02'),
(3,2,4,'smart','2019-08-02'),
(4,3,3,'smart','2021-03-25'),
(5,4,2,'prepay','2013-11-06'),
(6,5,3,'smart','2020-06-30'),
(7,5,5,'smart','2020-07-01'),
(8,6,1,'prepay','2016-02-11'),
(9,6,4,'standard','2007-09-20'),
(10,7,2,'smart','2022-10-14'),
(11,8,1,'standard','2004-01-27'),
(12,8,5,'smart','2018-12-05'),
(13,9,2,'prepay','2017-04-08');
INSERT INTO readings VALUES
(1,1,'2024-01-31',148.2,'manual'),(2,1,'2024-02-29',131.7,'estimate'),
(3,2,'2024-01-31',302.5,'automatic'),(4,2,'2024-02-29',286.1,'automatic'),
(5,3,'2024-01-31',1420.8,'automatic'),(6,3,'2024-02-29',1188.4,'automatic'),
(7,4,'2024-01-31',515.9,'automatic'),(8,4,'2024-02-29',430.3,'automatic'),
(9,5,'2024-01-31',210.6,'manual'),
(10,6,'2024-01-31',254.4,'automatic'),(11,6,'2024-02-29',201.9,'automatic'),
(12,7,'2024-01-31',1675.0,'automatic'),(13,7,'2024-02-29',1502.6,'automatic'),
(14,8,'2024-02-29',190.3,'manual'),
(15,9,'2024-01-31',980.7,'estimate'),(16,9,'2024-02-29',905.2,'manual'),
(17,10,'2024-01-31',388.8,'automatic'),(18,10,'2024-02-29',342.0,'automatic'),
(19,11,'2024-01-31',367.1,'estimate'),
(20,12,'2024-01-31',1833.5,'automatic'),(21,12,'2024-02-29',NULL,'automatic');
INSERT INTO bills VALUES
(1,1,'2024-02-05',60.82,'2024-02-19'),
(2,1,'2024-03-05',54.75,'2024-03-28'),
(3,2,'2024-02-05',238.72,'2024-02-09'),
(4,2,'2024-03-05',212.32,'2024-03-11'),
(5,3,'2024-02-06',188.43,'2024-02-06'),
(6,3,'2024-03-06',158.48,NULL),
(7,4,'2024-02-06',71.81,'2024-03-02'),
(8,5,'2024-02-07',243.13,'2024-02-21'),
(9,5,'2024-03-07',209.97,'2024-03-14'),
(10,6,'2024-02-07',92.66,NULL),
(11,6,'2024-03-07',158.36,NULL),
(12,7,'2024-02-08',118.14,'2024-02-12'),
(13,7,'2024-03-08',104.87,'2024-03-09'),
(14,8,'2024-02-08',284.69,'2024-04-01');
