-- Homes listed and sold by estate agents, with the buyers and their offers.
CREATE TABLE agents (
  agent_id INTEGER PRIMARY KEY,
  agent_name TEXT NOT NULL,
  office_town TEXT,
  commission_rate REAL,
  years_experience INTEGER
);
CREATE TABLE properties (
  property_id INTEGER PRIMARY KEY,
  property_type TEXT,
  town TEXT,
  bedrooms INTEGER,
  floor_area REAL,
  built_year INTEGER,
  asking_price INTEGER,
  agent_id INTEGER REFERENCES agents(agent_id)
);
CREATE TABLE buyers (
  buyer_id INTEGER PRIMARY KEY,
  buyer_name TEXT NOT NULL,
  budget INTEGER,
  first_time INTEGER
);
CREATE TABLE offers (
  offer_id INTEGER PRIMARY KEY,
  property_id INTEGER NOT NULL REFERENCES properties(property_id),
  buyer_id INTEGER NOT NULL REFERENCES buyers(buyer_id),
  offer_date TEXT,
  amount INTEGER,
  outcome TEXT
);
INSERT INTO agents VALUES
(1,'Louise Penrose','Ashby',1.8,14),
(2,'Martin Dace','Ashby',1.5,6),
(3,'Olga Severin','Kelmouth',2.1,22),
(4,'Rafe Tindall','Kelmouth',1.6,3),
(5,'Stella Novak','Brantley',1.75,11),
(6,'Theo Markham','Brantley',NULL,1),
(7,'Una Corrigan','Ashby',1.9,17),
(8,'Wes Bellamy','Dunhope',2.0,9);
INSERT INTO properties VALUES
(1,'flat','Ashby',2,68.5,1998,214000,1),
(2,'terrace','Ashby',3,92.0,1904,287000,1),
(3,'detached','Kelmouth',4,161.0,1976,498000,3),
(4,'bungalow','Kelmouth',2,84.2,1962,265000,4),
(5,'flat','Brantley',1,44.0,2015,158500,5),
(6,'terrace','Brantley',2,71.3,1888,196000,5),
(7,'detached','Dunhope',5,218.0,2006,672500,8),
(8,'flat','Kelmouth',3,97.4,2011,331000,3),
(9,'bungalow','Dunhope',3,110.6,1971,348000,8),
(10,'terrace','Ashby',4,124.8,1921,359000,7),
(11,'detached','Brantley',3,133.5,1989,405000,2),
(12,'flat','Dunhope',2,63.1,2020,229500,NULL),
(13,'detached','Ashby',4,149.9,1934,455000,7),
(14,'flat','Ashby',1,39.8,1983,132000,2);
INSERT INTO buyers VALUES
(1,'Hugo Lindqvist',220000,1),
(2,'Carmen Abel',510000,0),
(3,'Priya Dalal',300000,1),
(4,'Neil Ashworth',365000,0),
(5,'Yvonne Marek',165000,1),
(6,'Tom Garrity',700000,0),
(7,'Isla Brandt',245000,1),
(8,'Oscar Feldt',420000,0),
(9,'Bridget Soames',275000,NULL),
(10,'Dev Chandra',190000,1),
(11,'Ruth Ellery',340000,0),
(12,'Karl Winther',610000,0);
INSERT INTO offers VALUES
(1,1,1,'2023-01-14',207000,'rejected'),
(2,1,7,'2023-01-22',213500,'accepted'),
(3,2,3,'2023-02-03',280000,'rejected'),
(4,2,9,'2023-02-09',271000,'rejected'),
(5,2,3,'2023-02-12',288500,'accepted'),
(6,3,2,'2023-02-20',490000,'accepted'),
(7,4,9,'2023-03-06',262000,'accepted'),
(8,4,7,'2023-03-05',240000,'rejected'),
(9,5,5,'2023-03-18',157000,'accepted'),
(10,6,10,'2023-04-01',188000,'withdrawn'),
(11,6,1,'2023-04-11',194500,'accepted'),
(12,7,6,'2023-04-15',655000,'pending'),
(13,7,12,'2023-04-17',605000,'rejected'),
(14,8,11,'2023-05-02',325000,'withdrawn'),
(15,8,4,'2023-05-08',333000,'accepted'),
(16,9,4,'2023-05-12',350000,'rejected'),
(17,9,11,'2023-05-20',339000,'pending'),
(18,10,8,'2023-06-04',362000,'accepted'),
(19,11,8,'2023-06-01',398000,'withdrawn'),
(20,13,2,'2023-06-19',448000,'pending'),
(21,14,10,'2023-06-25',129500,'accepted'),
(22,11,12,'2023-07-02',410000,'accepted');
