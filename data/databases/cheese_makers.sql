-- Small dairies, the cheeses they make, the medals won and the shops that stock them.
CREATE TABLE dairies (
  dairy_id INTEGER PRIMARY KEY,
  dairy_name TEXT NOT NULL,
  region TEXT,
  founded_year INTEGER,
  staff_count INTEGER
);
CREATE TABLE cheeses (
  cheese_id INTEGER PRIMARY KEY,
  cheese_name TEXT NOT NULL,
  dairy_id INTEGER NOT NULL REFERENCES dairies(dairy_id),
  milk_type TEXT,
  texture TEXT,
  ageing_days INTEGER,
  price_per_kg REAL
);
CREATE TABLE awards (
  award_id INTEGER PRIMARY KEY,
  cheese_id INTEGER NOT NULL REFERENCES cheeses(cheese_id),
  award_year INTEGER,
  medal TEXT,
  score REAL
);
CREATE TABLE shops (
  shop_id INTEGER PRIMARY KEY,
  shop_name TEXT NOT NULL,
  city TEXT,
  opened_year INTEGER
);
CREATE TABLE shop_stock (
  shop_id INTEGER NOT NULL REFERENCES shops(shop_id),
  cheese_id INTEGER NOT NULL REFERENCES cheeses(cheese_id),
  quantity_kg REAL,
  last_delivery TEXT,
  PRIMARY KEY (shop_id, cheese_id)
);
INSERT INTO dairies VALUES
(1,'Mill Brook Dairy','North Vale',1968,14),
(2,'Harrow Hill Farm','Westmoor',1993,6),
(3,'Pinder and Sons','North Vale',1921,31),
(4,'Goat Rock','Coast',2004,4),
(5,'Tarn Side Creamery','Lakeland',1987,22),
(6,'Old Byre','Westmoor',2015,3),
(7,'Saltmarsh Ewes','Coast',1999,9),
(8,'Highgate Creamery','Lakeland',1956,47),
(9,'Fen Lane Dairy','North Vale',2019,NULL);
INSERT INTO cheeses VALUES
(1,'Brook Blue',1,'cow','soft',75,24.5),
(2,'Vale Gold',1,'cow','hard',310,21.8),
(3,'Harrow Ash',2,'goat','soft',28,33.0),
(4,'Pinder Red',3,'cow','semi-hard',120,16.4),
(5,'Pinder Extra',3,'cow','hard',540,29.9),
(6,'Pinder Smoked',3,'cow','semi-hard',95,18.7),
(7,'Rock Button',4,'goat','fresh',6,38.2),
(8,'Cliff Log',4,'goat','soft',21,35.6),
(9,'Tarn White',5,'cow','fresh',10,13.9),
(10,'Fellside',5,'sheep','hard',200,31.5),
(11,'Marsh Pearl',7,'sheep','soft',45,36.8),
(12,'Samphire',7,'sheep','semi-hard',110,NULL),
(13,'Highgate Mild',8,'cow','semi-hard',60,12.1),
(14,'Highgate Vintage',8,'cow','hard',720,27.3);
INSERT INTO awards VALUES
(1,1,2019,'silver',86.5),
(2,1,2021,'gold',93.2),
(3,2,2020,'bronze',81.0),
(4,3,2022,'gold',95.1),
(5,5,2018,'gold',92.4),
(6,5,2019,'silver',88.8),
(7,5,2022,'gold',96.0),
(8,7,2021,'bronze',80.3),
(9,8,2023,'silver',87.9),
(10,10,2020,'gold',91.7),
(11,11,2022,'silver',89.4),
(12,11,2023,'gold',94.6),
(13,14,2018,'bronze',79.5),
(14,14,2023,'bronze',82.2);
INSERT INTO shops VALUES
(1,'The Rind','Ashford',2001),
(2,'Curd Corner','Milton',2012),
(3,'Baker Street Deli','Ashford',1985),
(4,'Slate and Knife','Dunmore',2018),
(5,'Harbour Foods','Port Ellis',1996),
(6,'Green Basket','Milton',2020),
(7,'Wheel House','Dunmore',2009),
(8,'Larder No 9','Port Ellis',2023);
INSERT INTO shop_stock VALUES
(1,1,12.5,'2024-03-04'),(1,3,4.2,'2024-03-11'),(1,5,20.0,'2024-02-19'),(1,11,3.6,'2024-03-12'),
(2,2,15.8,'2024-02-26'),(2,4,11.0,'2024-03-01'),(2,13,26.4,'2024-03-08'),
(3,5,8.9,'2024-01-30'),(3,7,1.8,'2024-03-13'),(3,9,6.1,'2024-03-14'),
(4,1,5.5,'2024-03-05'),(4,10,9.7,'2024-02-21'),(4,14,18.3,'2024-02-02'),
(5,8,2.4,'2024-03-10'),(5,11,5.0,'2024-03-07'),(5,13,30.2,NULL),
(6,9,7.3,'2024-03-15'),(6,3,NULL,'2024-03-09'),
(7,6,10.6,'2024-02-28'),(7,14,13.7,'2024-01-25'),(7,2,16.9,'2024-02-14');
