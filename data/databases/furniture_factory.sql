-- A furniture factory: materials, products, the bill of materials, workers and production runs.
CREATE TABLE materials (
  material_id INTEGER PRIMARY KEY,
  material_name TEXT NOT NULL,
  unit TEXT,
  unit_cost REAL,
  in_stock REAL
);
CREATE TABLE products (
  product_id INTEGER PRIMARY KEY,
  product_name TEXT NOT NULL,
  room TEXT,
  list_price REAL,
  weight_kg REAL,
  launch_year INTEGER
);
CREATE TABLE product_materials (
  product_id INTEGER NOT NULL,
  material_id INTEGER NOT NULL,
  amount REAL,
  PRIMARY KEY (product_id, material_id),
  FOREIGN KEY (product_id) REFERENCES products(product_id),
  FOREIGN KEY (material_id) REFERENCES materials(material_id)
);
CREATE TABLE workers (
  worker_id INTEGER PRIMARY KEY,
  worker_name TEXT NOT NULL,
  workshop TEXT,
  hire_date TEXT,
  monthly_pay INTEGER,
  foreman_id INTEGER,
  FOREIGN KEY (foreman_id) REFERENCES workers(worker_id)
);
CREATE TABLE production_runs (
  run_id INTEGER PRIMARY KEY,
  product_id INTEGER NOT NULL,
  worker_id INTEGER,
  started_on TEXT,
  hours_used REAL,
  units_made INTEGER,
  units_rejected INTEGER,
  FOREIGN KEY (product_id) REFERENCES products(product_id),
  FOREIGN KEY (worker_id) REFERENCES workers(worker_id)
);
INSERT INTO materials VALUES
(1,'oak board','m2',42.5,310),(2,'pine board','m2',17.8,845),(3,'birch plywood','m2',23.4,520),(4,'steel tube','m',6.1,1260),(5,'foam','kg',8.75,188),(6,'wool fabric','m',27.9,96),(7,'leather','m',64,41.5),
(8,'varnish','l',12.3,205),(9,'screw set','piece',1.45,5400),(10,'glass pane','m2',38.6,NULL),(11,'cork','m2',15.2,60);
INSERT INTO products VALUES
(1,'Alva table','dining',590,38.5,2014),(2,'Alva chair','dining',145,6.2,2014),(3,'Brim sofa','living',1280,54,2017),(4,'Nook armchair','living',640,23.7,2018),(5,'Tarn bed','bedroom',820,61.5,2016),
(6,'Pip stool','kitchen',58,3.4,2019),(7,'Ledge shelf','office',210,18.9,2020),(8,'Quill desk','office',465,32.1,2021),(9,'Fold wardrobe','bedroom',975,88,2015),(10,'Vitrin cabinet','dining',730,47.3,2022),(11,'Mica lamp table','living',NULL,9.6,2024);
INSERT INTO product_materials VALUES
(1,1,3.2),(1,8,0.9),(1,9,4),(2,1,0.8),(2,9,2),(2,6,0.5),(3,2,2.6),(3,5,9.5),(3,6,8.2),(4,5,4.1),(4,7,3.4),(4,3,1.1),(5,2,5.7),(5,9,6),(6,2,0.4),(6,8,0.1),(7,3,2.3),(7,4,5.5),(8,3,1.9),(8,4,6.8),(8,8,0.6),(9,2,8.4),(9,9,10),(10,1,2.7),(10,10,1.8);
INSERT INTO workers VALUES
(1,'Bruno Kessler','joinery','2001-04-02',3950,NULL),(2,'Maja Lind','upholstery','2006-08-14',3720,NULL),(3,'Petr Hanus','metal','2009-01-19',3610,NULL),(4,'Rosa Vidal','joinery','2013-05-27',2980,1),(5,'Emil Stark','joinery','2016-10-03',2740,1),
(6,'Chidi Eze','upholstery','2018-02-12',2660,2),(7,'Anneli Roos','metal','2019-09-09',2590,3),(8,'Tom Hadley','joinery','2021-06-21',2410,4),(9,'Yuki Mori','upholstery','2022-11-07',2350,2),(10,'Karin Falk','finishing','2015-03-16',2825,1);
INSERT INTO production_runs VALUES
(1,1,4,'2024-01-08',62.5,24,1),(2,2,5,'2024-01-15',48,96,5),(3,3,6,'2024-01-22',91,18,0),(4,5,4,'2024-02-05',70.5,30,2),(5,6,8,'2024-02-12',25,140,11),(6,8,7,'2024-02-19',54,35,3),(7,7,7,'2024-03-04',39.5,60,4),
(8,4,9,'2024-03-11',66,22,1),(9,9,5,'2024-03-25',110,16,2),(10,10,4,'2024-04-08',83.5,14,3),(11,2,8,'2024-04-15',52.5,88,9),(12,3,2,'2024-04-29',78,17,0),(13,1,1,'2024-05-13',57,26,0),(14,6,8,'2024-05-27',22.5,150,7),
(15,8,3,'2024-06-03',49,38,1),(16,5,5,'2024-06-17',74,28,3),(17,4,6,'2024-07-01',61.5,20,2),(18,7,NULL,'2024-07-15',41,64,6),(19,2,4,'2024-08-05',45,101,3),(20,9,1,'2024-08-19',98.5,19,NULL);
