-- A pizza chain with its branches, menu, orders and the lines of each order.
CREATE TABLE branches (
  branch_id INTEGER PRIMARY KEY,
  branch_name TEXT NOT NULL,
  city TEXT,
  opened_on TEXT,
  seats INTEGER,
  weekly_rent REAL
);
CREATE TABLE pizzas (
  pizza_id INTEGER PRIMARY KEY,
  pizza_name TEXT NOT NULL,
  base TEXT,
  is_vegetarian INTEGER,
  calories INTEGER,
  price REAL
);
CREATE TABLE employees (
  employee_id INTEGER PRIMARY KEY,
  employee_name TEXT NOT NULL,
  role TEXT,
  hourly_wage REAL,
  branch_id INTEGER REFERENCES branches(branch_id)
);
CREATE TABLE orders (
  order_id INTEGER PRIMARY KEY,
  branch_id INTEGER NOT NULL REFERENCES branches(branch_id),
  taken_by INTEGER REFERENCES employees(employee_id),
  order_date TEXT,
  channel TEXT,
  tip REAL
);
CREATE TABLE order_items (
  order_id INTEGER REFERENCES orders(order_id),
  pizza_id INTEGER REFERENCES pizzas(pizza_id),
  size TEXT,
  quantity INTEGER,
  PRIMARY KEY (order_id, pizza_id)
);
INSERT INTO branches VALUES
(1,'Harbour','Leeds','2009-04-18',64,910.0),
(2,'Old Mill','York','2012-09-01',38,645.5),
(3,'Station','Leeds','2015-02-11',22,780.0),
(4,'Castle Gate','Durham','2016-06-30',51,705.0),
(5,'Riverside','York','2018-11-05',73,1020.0),
(6,'Campus','Durham','2019-09-20',45,560.0),
(7,'Dockyard','Hull','2021-03-14',80,498.0),
(8,'Arcade','Hull','2023-07-08',17,430.25);
INSERT INTO pizzas VALUES
(1,'Margherita','tomato',1,780,8.5),
(2,'Diavola','tomato',0,985,11.2),
(3,'Bianca','cream',1,890,9.75),
(4,'Smoky Pig','barbecue',0,1140,12.9),
(5,'Orto','tomato',1,720,10.4),
(6,'Quattro','cream',1,1060,11.6),
(7,'Marina','tomato',0,835,13.25),
(8,'Truffle','cream',1,945,14.5),
(9,'Hot Hen','barbecue',0,1015,12.3),
(10,'Marinara','tomato',1,655,7.2);
INSERT INTO employees VALUES
(1,'Aldo Renn','manager',17.8,1),
(2,'Bea Oxley','cook',13.4,1),
(3,'Cyrus Vane','waiter',11.6,1),
(4,'Dina Marsh','manager',16.9,2),
(5,'Emil Torr','waiter',11.9,2),
(6,'Faye Lund','cook',13.9,3),
(7,'Gus Whitlow','waiter',12.1,3),
(8,'Hana Prior','manager',17.1,4),
(9,'Ivo Calder','waiter',11.75,4),
(10,'Jill Stope','cook',14.2,5),
(11,'Kofi Darnell','waiter',12.4,5),
(12,'Lena Brask','waiter',11.5,6),
(13,'Milo Hatch','manager',16.2,7),
(14,'Nell Quigg','driver',12.8,NULL);
INSERT INTO orders VALUES
(101,1,3,'2024-01-05','dine-in',2.5),
(102,1,3,'2024-01-06','phone',NULL),
(103,1,1,'2024-01-13','app',1.0),
(104,2,5,'2024-01-13','dine-in',4.2),
(105,2,4,'2024-01-20','app',NULL),
(106,3,7,'2024-02-02','dine-in',3.1),
(107,3,7,'2024-02-03','phone',0.5),
(108,3,NULL,'2024-02-09','app',NULL),
(109,4,9,'2024-02-14','dine-in',7.0),
(110,4,9,'2024-02-16','dine-in',5.4),
(111,5,11,'2024-02-23','phone',NULL),
(112,5,11,'2024-03-01','dine-in',6.3),
(113,5,NULL,'2024-03-02','app',1.5),
(114,6,12,'2024-03-08','app',0.8),
(115,7,13,'2024-03-15','dine-in',3.6),
(116,1,2,'2024-03-16','phone',2.0);
INSERT INTO order_items VALUES
(101,1,'large',2),(101,2,'medium',1),(102,4,'large',3),(103,5,'small',1),
(103,3,'medium',1),(104,1,'medium',4),(104,6,'large',2),(105,9,'large',1),
(106,2,'medium',2),(106,7,'small',1),(107,1,'small',1),(108,9,'large',5),
(109,3,'medium',2),(109,6,'medium',2),(109,2,'large',1),(110,4,'medium',3),
(111,1,'large',6),(112,7,'medium',2),(112,5,'medium',1),(113,2,'small',2),
(114,10,'medium',3),(115,4,'large',1),(115,1,'medium',2),(116,6,'small',1);
