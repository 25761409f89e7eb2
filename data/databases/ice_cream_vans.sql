-- A seaside firm runs ice cream vans and records drivers, flavours, daily tours and what was sold.
CREATE TABLE van (
  id INTEGER PRIMARY KEY,
  name TEXT,
  colour TEXT,
  year INTEGER,
  freezer_litres INTEGER
);
CREATE TABLE driver (
  id INTEGER PRIMARY KEY,
  name TEXT,
  age INTEGER,
  town TEXT,
  hourly_pay REAL
);
CREATE TABLE flavour (
  id INTEGER PRIMARY KEY,
  name TEXT,
  kind TEXT,
  price REAL,
  vegan INTEGER
);
CREATE TABLE tour (
  id INTEGER PRIMARY KEY,
  van_id INTEGER REFERENCES van(id),
  driver_id INTEGER REFERENCES driver(id),
  day TEXT,
  place TEXT,
  weather TEXT,
  hours REAL
);
CREATE TABLE sale (
  tour_id INTEGER REFERENCES tour(id),
  flavour_id INTEGER REFERENCES flavour(id),
  scoops INTEGER,
  PRIMARY KEY (tour_id, flavour_id)
);
INSERT INTO van VALUES
(1,'Mister Frosty','white',2009,310),
(2,'Pink Panda','pink',2015,420),
(3,'Polar Bess','blue',1998,260),
(4,'Snowdrop','white',2018,455),
(5,'Sundae Best','yellow',2012,380),
(6,'Cone Ranger','blue',2020,500),
(7,'Old Gelato','pink',1987,190),
(8,'Chilly Tilly','yellow',2022,515);
INSERT INTO driver VALUES
(1,'Gwen Tarrant',34,'Sandmouth',12.4),
(2,'Rob Pickles',52,'Sandmouth',14.1),
(3,'Luca Ferri',27,'Port Ellis',11.8),
(4,'Mina Doyle',22,'Cliffbury',11.2),
(5,'Stan Hobley',61,'Port Ellis',15.0),
(6,'Aisha Munn',30,'Sandmouth',12.9),
(7,'Ted Quill',45,'Cliffbury',NULL),
(8,'Bea Lomax',19,'Port Ellis',10.6);
INSERT INTO flavour VALUES
(1,'vanilla','cream',2.2,0),
(2,'chocolate','cream',2.4,0),
(3,'strawberry','cream',2.3,0),
(4,'lemon','sorbet',2.1,1),
(5,'mango','sorbet',2.5,1),
(6,'mint chip','cream',2.6,0),
(7,'raspberry','sorbet',2.0,1),
(8,'salted caramel','cream',2.8,0),
(9,'coconut','frozen yogurt',2.9,1),
(10,'blueberry','frozen yogurt',2.7,0),
(11,'liquorice','cream',1.9,0);
INSERT INTO tour VALUES
(1,1,1,'2024-06-01','East Beach','sunny',6.5),
(2,2,3,'2024-06-01','Harbour','sunny',5.0),
(3,3,2,'2024-06-02','East Beach','cloudy',4.5),
(4,4,4,'2024-06-08','Funfair','sunny',7.0),
(5,5,5,'2024-06-08','Harbour','windy',3.5),
(6,1,1,'2024-06-09','Castle Park','rain',2.0),
(7,6,6,'2024-06-15','East Beach','sunny',8.0),
(8,2,3,'2024-06-15','Castle Park','cloudy',4.0),
(9,4,2,'2024-06-22','Funfair','sunny',7.5),
(10,8,6,'2024-06-22','Harbour','windy',5.5),
(11,5,1,'2024-06-29','Castle Park','sunny',6.0),
(12,6,4,'2024-06-30','East Beach','rain',1.5),
(13,8,5,'2024-07-06','Funfair','sunny',NULL),
(14,3,3,'2024-07-07','Harbour','cloudy',4.8);
INSERT INTO sale VALUES
(1,1,82),(1,2,64),(1,4,31),
(2,1,55),(2,5,28),
(3,2,37),(3,6,22),
(4,1,96),(4,3,71),(4,8,58),
(5,3,19),(5,7,14),
(6,1,9),
(7,2,103),(7,4,47),(7,9,25),
(8,6,33),(8,10,16),
(9,1,88),(9,8,62),
(10,5,35),(10,7,21),
(11,3,49),(11,2,53),
(12,4,6),
(13,1,91),(13,10,27),
(14,8,40);
