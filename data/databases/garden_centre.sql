-- A garden centre that stocks plants from nurseries, keeps them in zones and sells them in orders.
CREATE TABLE nurseries (
  nursery_id INTEGER PRIMARY KEY,
  nursery_name TEXT NOT NULL,
  county TEXT,
  rating REAL,
  organic INTEGER
);
CREATE TABLE zones (
  zone_id INTEGER PRIMARY KEY,
  zone_name TEXT NOT NULL,
  heated INTEGER,
  area_m2 REAL
);
CREATE TABLE plants (
  plant_id INTEGER PRIMARY KEY,
  common_name TEXT NOT NULL,
  plant_type TEXT,
  height_cm INTEGER,
  sun_need TEXT,
  price REAL,
  stock_count INTEGER,
  nursery_id INTEGER REFERENCES nurseries(nursery_id),
  zone_id INTEGER REFERENCES zones(zone_id)
);
CREATE TABLE orders (
  order_id INTEGER PRIMARY KEY,
  customer_name TEXT,
  order_date TEXT,
  pickup TEXT,
  loyalty_card INTEGER
);
CREATE TABLE order_lines (
  order_id INTEGER NOT NULL REFERENCES orders(order_id),
  plant_id INTEGER NOT NULL REFERENCES plants(plant_id),
  quantity INTEGER,
  unit_price REAL,
  PRIMARY KEY (order_id, plant_id)
);
INSERT INTO nurseries VALUES
(1,'Withy Beds','Somerset',4.6,1),(2,'Harrow Plants','Kent',3.9,0),(3,'Greenlea','Kent',4.2,0),(4,'Tolley and Daughter','Devon',4.8,1),(5,'Fenland Trees','Norfolk',3.4,0),(6,'Alpine House','Cumbria',4.4,1),(7,'Bywater','Norfolk',NULL,0),(8,'Moorgate Herbs','Devon',4.1,1);
INSERT INTO zones VALUES
(1,'Main hall',0,620),(2,'Warm house',1,185.5),(3,'Shade tunnel',0,240),(4,'Tree yard',0,1350),(5,'Herb bench',0,46),(6,'Alpine rack',0,32.5),(7,'Orchid room',1,58),(8,'Clearance',0,75);
INSERT INTO plants VALUES
(1,'Lavender','shrub',45,'full sun',8.5,120,1,1),(2,'Rosemary','herb',40,'full sun',5.25,84,8,5),(3,'Basil','herb',20,'full sun',2.6,150,8,2),(4,'Hosta','perennial',60,'shade',11.9,37,3,3),(5,'Fern','perennial',75,'shade',9.4,52,1,3),
(6,'Apple tree','tree',180,'full sun',34,18,5,4),(7,'Silver birch','tree',240,'full sun',49.5,9,5,4),(8,'Japanese maple','tree',110,'half shade',62,6,4,4),(9,'Saxifrage','alpine',8,'half shade',4.1,66,6,6),(10,'Gentian','alpine',12,'full sun',5.8,41,6,6),
(11,'Moth orchid','houseplant',50,'half shade',18.75,23,2,7),(12,'Weeping fig','houseplant',95,'half shade',27.3,11,2,2),(13,'Hydrangea','shrub',70,'half shade',16.4,28,4,1),(14,'Thyme','herb',15,'full sun',3.1,97,8,5),(15,'Camellia','shrub',90,'shade',24.6,NULL,4,NULL);
INSERT INTO orders VALUES
(1,'Olive Hart','2024-03-09','counter',1),(2,'Denis Crowe','2024-03-16','delivery',0),(3,'Fatima Aziz','2024-03-30','counter',1),(4,'Olive Hart','2024-04-13','delivery',1),(5,'Grant Pell','2024-04-20','counter',0),(6,'Lydia Moon','2024-05-04','click and collect',1),
(7,'Denis Crowe','2024-05-11','counter',0),(8,'Tariq Bell','2024-05-25','click and collect',0),(9,'Susan Yeo','2024-06-08','delivery',1),(10,'Fatima Aziz','2024-06-15','counter',1),(11,'Ivor Snell','2024-09-21','counter',NULL);
INSERT INTO order_lines VALUES
(1,1,6,8.5),(1,14,4,3.1),(2,6,2,34),(2,7,1,47),(3,2,3,5.25),(3,3,5,2.6),(3,14,2,3),(4,8,1,62),(4,13,2,15.9),(5,11,1,18.75),(6,9,8,3.9),(6,10,6,5.8),(7,4,3,11.9),(7,5,4,9.4),(8,3,10,2.35),(8,1,2,8.5),(9,7,2,49.5),(9,6,1,32.5),(9,13,1,16.4),(10,2,1,5.25),(10,11,2,17.8),(11,9,3,2.95),(11,5,1,8.2);
