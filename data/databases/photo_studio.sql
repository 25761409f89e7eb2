-- A photo studio with photographers, clients, bookings and the prints that clients ordered.
CREATE TABLE photographers (
  photographer_id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  speciality TEXT,
  day_rate INTEGER,
  mentor_id INTEGER,
  FOREIGN KEY (mentor_id) REFERENCES photographers(photographer_id)
);
CREATE TABLE clients (
  client_id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  client_kind TEXT,
  city TEXT
);
CREATE TABLE bookings (
  booking_id INTEGER PRIMARY KEY,
  client_id INTEGER NOT NULL,
  photographer_id INTEGER,
  shoot_date TEXT,
  shoot_kind TEXT,
  hours REAL,
  price REAL,
  FOREIGN KEY (client_id) REFERENCES clients(client_id),
  FOREIGN KEY (photographer_id) REFERENCES photographers(photographer_id)
);
CREATE TABLE prints (
  print_id INTEGER PRIMARY KEY,
  booking_id INTEGER NOT NULL,
  paper TEXT,
  width_cm INTEGER,
  copies INTEGER,
  unit_price REAL,
  FOREIGN KEY (booking_id) REFERENCES bookings(booking_id)
);
INSERT INTO photographers VALUES
(1,'Ludo Marchetti','portrait',620,NULL),
(2,'Sanne Kuiper','wedding',750,1),
(3,'Abel Nwosu','product',580,1),
(4,'Karin Oster','wedding',690,2),
(5,'Dmitri Volk','architecture',840,NULL),
(6,'Jessie Tran','portrait',410,1),
(7,'Femke Bos','product',450,3),
(8,'Raul Ortega','portrait',NULL,6);
INSERT INTO clients VALUES
(1,'Family Hendriks','private','Breda'),
(2,'Studio Vloer','company','Tilburg'),
(3,'Bakery Zoet','company','Breda'),
(4,'Mila and Joost','private','Eindhoven'),
(5,'City Museum','public','Tilburg'),
(6,'Nora and Sam','private','Breda'),
(7,'Westerhof School','public','Eindhoven'),
(8,'Lamp Works','company','Eindhoven'),
(9,'Family Okafor','private','Tilburg'),
(10,'Theatre De Brug','public','Breda'),
(11,'Ceramics by Ine','company',NULL);
INSERT INTO bookings VALUES
(1,1,1,'2023-02-11','portrait',1.5,240.0),
(2,3,3,'2023-02-20','product',4.0,560.0),
(3,4,2,'2023-05-06','wedding',9.0,1850.0),
(4,2,5,'2023-05-17','interior',5.5,1120.0),
(5,7,6,'2023-06-02','group portrait',6.0,780.0),
(6,6,4,'2023-06-24','wedding',8.0,1640.0),
(7,8,3,'2023-07-13','product',3.0,465.0),
(8,5,5,'2023-09-05','interior',7.5,1490.0),
(9,9,6,'2023-09-16','portrait',1.0,155.0),
(10,8,7,'2023-10-10','product',5.0,610.0),
(11,1,1,'2023-11-25','portrait',2.0,310.0),
(12,10,1,'2024-01-12','group portrait',3.5,690.0),
(13,3,7,'2024-02-08','product',2.5,335.0),
(14,5,3,'2024-03-14','product',6.5,905.0),
(15,9,NULL,'2024-04-20','portrait',1.0,NULL);
INSERT INTO prints VALUES
(1,1,'matt',30,2,18.0),
(2,1,'glossy',13,12,2.5),
(3,3,'fine art',60,3,74.0),
(4,3,'matt',20,85,4.2),
(5,3,'canvas',90,1,139.0),
(6,5,'glossy',18,240,1.9),
(7,5,'matt',40,5,26.5),
(8,6,'matt',20,60,4.4),
(9,6,'canvas',120,1,185.0),
(10,8,'fine art',100,6,128.0),
(11,9,'glossy',13,8,2.8),
(12,4,'fine art',75,4,92.0),
(13,11,'matt',30,4,17.5),
(14,11,'canvas',60,1,98.0),
(15,12,'glossy',24,36,6.1),
(16,12,'matt',50,10,33.0),
(17,14,'fine art',45,NULL,58.0);
