-- An optician's shop with its customers, eye tests, spectacle frames and sales.
CREATE TABLE brand (
  id INTEGER PRIMARY KEY,
  name TEXT,
  country TEXT
);
CREATE TABLE frame (
  id INTEGER PRIMARY KEY,
  brand_id INTEGER,
  model TEXT,
  colour TEXT,
  material TEXT,
  price REAL,
  stock INTEGER,
  FOREIGN KEY (brand_id) REFERENCES brand(id)
);
CREATE TABLE customer (
  id INTEGER PRIMARY KEY,
  name TEXT,
  birth_year INTEGER,
  city TEXT
);
CREATE TABLE eye_test (
  id INTEGER PRIMARY KEY,
  customer_id INTEGER,
  date TEXT,
  optometrist TEXT,
  left_dioptre REAL,
  right_dioptre REAL,
  FOREIGN KEY (customer_id) REFERENCES customer(id)
);
CREATE TABLE sale (
  id INTEGER PRIMARY KEY,
  customer_id INTEGER,
  frame_id INTEGER,
  date TEXT,
  lens TEXT,
  total REAL,
  FOREIGN KEY (customer_id) REFERENCES customer(id),
  FOREIGN KEY (frame_id) REFERENCES frame(id)
);
INSERT INTO brand VALUES
(1,'Lunetta','Italy'),
(2,'Klarblick','Germany'),
(3,'Ocarine','France'),
(4,'Nordsyn','Denmark'),
(5,'Vistoria','Italy'),
(6,'Plainview','USA'),
(7,'Tsuru','Japan'),
(8,'Feder','Germany');
INSERT INTO frame VALUES
(1,1,'Riva','black','acetate',189.0,6),
(2,1,'Como','tortoise','acetate',205.0,3),
(3,2,'K10','silver','titanium',249.0,8),
(4,2,'K22','black','steel',139.0,12),
(5,3,'Sorbonne','gold','steel',175.0,0),
(6,4,'Fanoe','blue','titanium',310.0,4),
(7,4,'Mols','silver','titanium',295.0,5),
(8,5,'Perla','gold','acetate',228.0,2),
(9,6,'Basic 1','black','acetate',59.0,25),
(10,6,'Basic 2','blue','acetate',64.0,19),
(11,7,'Hane','silver','titanium',420.0,1),
(12,3,'Marais','tortoise','acetate',166.0,7),
(13,5,'Onda','black','steel',NULL,9);
INSERT INTO customer VALUES
(1,'Ada Bloom',1957,'Hartwick'),
(2,'Ben Osei',1990,'Hartwick'),
(3,'Celia Marr',1978,'Lowbridge'),
(4,'Derek Plume',1949,'Ansty'),
(5,'Erika Salo',2004,'Lowbridge'),
(6,'Frida Kahn',1986,'Hartwick'),
(7,'Gordon Teal',1963,'Ansty'),
(8,'Hye-jin Moon',1995,'Lowbridge'),
(9,'Ian Crabbe',1971,'Hartwick'),
(10,'Jodie Spence',2011,'Ansty'),
(11,'Kurt Vance',1982,NULL);
INSERT INTO eye_test VALUES
(1,1,'2022-03-04','Mr Pell',1.5,1.75),
(2,2,'2022-03-18','Ms Quaye',-2.25,-2.5),
(3,3,'2022-05-09','Mr Pell',-0.75,-1.0),
(4,4,'2022-06-21','Ms Quaye',2.5,2.0),
(5,5,'2022-09-13','Dr Hollis',-4.0,-4.25),
(6,6,'2022-10-30','Mr Pell',-1.25,-0.5),
(7,7,'2023-01-17','Dr Hollis',3.0,3.25),
(8,1,'2023-03-11','Mr Pell',1.75,2.25),
(9,8,'2023-04-02','Ms Quaye',-5.5,-6.0),
(10,2,'2023-05-25','Ms Quaye',-2.75,-3.0),
(11,10,'2023-08-08','Dr Hollis',-1.5,-1.75),
(12,5,'2023-09-19','Dr Hollis',-4.5,-4.75),
(13,9,'2023-11-06','Mr Pell',0.25,NULL),
(14,4,'2024-02-14','Ms Quaye',2.75,2.5);
INSERT INTO sale VALUES
(1,1,2,'2022-03-10','varifocal',485.0),
(2,2,4,'2022-03-25','single vision',219.0),
(3,3,9,'2022-05-16','single vision',129.0),
(4,4,3,'2022-07-01','varifocal',560.0),
(5,5,6,'2022-09-22','single vision',398.0),
(6,6,12,'2022-11-08','single vision',238.0),
(7,7,1,'2023-01-29','varifocal',474.5),
(8,1,9,'2023-03-20','reading',99.0),
(9,8,11,'2023-04-12','single vision',615.0),
(10,8,10,'2023-04-12','sunglasses',144.0),
(11,2,7,'2023-06-03','single vision',372.0),
(12,10,10,'2023-08-15','single vision',118.0),
(13,5,8,'2023-10-01','sunglasses',305.0),
(14,9,9,'2023-11-14','reading',89.0),
(15,4,4,'2024-02-27','reading',185.0),
(16,6,5,'2024-03-05','sunglasses',NULL);
