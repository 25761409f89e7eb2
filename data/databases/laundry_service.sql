-- A laundry chain with shops, customers, pickup drivers, orders and the garments cleaned in each order.
CREATE TABLE Shop (
  ShopId INTEGER PRIMARY KEY,
  ShopName TEXT NOT NULL,
  City TEXT,
  OpenedYear INTEGER,
  MachineCount INTEGER
);
CREATE TABLE Customer (
  CustomerId INTEGER PRIMARY KEY,
  FirstName TEXT,
  LastName TEXT,
  CustomerType TEXT,
  JoinedOn TEXT,
  HomeShopId INTEGER,
  FOREIGN KEY (HomeShopId) REFERENCES Shop(ShopId)
);
CREATE TABLE Service (
  ServiceId INTEGER PRIMARY KEY,
  ServiceName TEXT,
  Method TEXT,
  UnitPrice REAL
);
CREATE TABLE LaundryOrder (
  OrderId INTEGER PRIMARY KEY,
  CustomerId INTEGER,
  ShopId INTEGER,
  ReceivedOn TEXT,
  ReturnedOn TEXT,
  Status TEXT,
  FOREIGN KEY (CustomerId) REFERENCES Customer(CustomerId),
  FOREIGN KEY (ShopId) REFERENCES Shop(ShopId)
);
CREATE TABLE OrderItem (
  OrderItemId INTEGER PRIMARY KEY,
  OrderId INTEGER,
  ServiceId INTEGER,
  Pieces INTEGER,
  Discount REAL,
  FOREIGN KEY (OrderId) REFERENCES LaundryOrder(OrderId),
  FOREIGN KEY (ServiceId) REFERENCES Service(ServiceId)
);
INSERT INTO Shop VALUES
(1,'Soap Corner','Malmo',2006,14),
(2,'White Wash','Lund',2011,9),
(3,'Spin City','Malmo',2019,22),
(4,'Bubble Barn','Ystad',2015,7),
(5,'Crisp Collar','Lund',2022,12),
(6,'Old Mill Laundry','Kalmar',1988,18),
(7,'Fresh Fold','Kalmar',2020,10),
(8,'Linen Lane','Ystad',2023,5);
INSERT INTO Customer VALUES
(1,'Ulla','Strand','private','2019-02-03',1),
(2,'Mats','Ek','private','2020-08-14',2),
(3,'Harbour','Hotel','hotel','2018-05-01',3),
(4,'Lisa','Quist','private','2021-11-22',1),
(5,'Grand','Rosen','hotel','2016-09-30',6),
(6,'Omar','Hadid','private','2022-03-19',5),
(7,'Bistro','Kajen','restaurant','2020-01-07',3),
(8,'Petra','Sund','private','2023-06-12',4),
(9,'Cafe','Linnea','restaurant','2021-04-26',2),
(10,'Nils','Borg','private','2023-10-02',NULL),
(11,'Sea','View','hotel','2022-12-15',7);
INSERT INTO Service VALUES
(1,'shirt','wash and iron',3.5),
(2,'suit','dry clean',18.0),
(3,'bed sheet','wash',2.8),
(4,'table cloth','wash and iron',4.6),
(5,'curtain','dry clean',12.5),
(6,'towel','wash',1.2),
(7,'wedding dress','dry clean',85.0),
(8,'duvet','wash',14.0),
(9,'leather coat','special',62.0);
INSERT INTO LaundryOrder VALUES
(1,1,1,'2024-01-03','2024-01-06','returned'),
(2,3,3,'2024-01-04','2024-01-05','returned'),
(3,5,6,'2024-01-09','2024-01-11','returned'),
(4,2,2,'2024-01-15','2024-01-19','returned'),
(5,7,3,'2024-01-17','2024-01-18','returned'),
(6,4,3,'2024-01-26','2024-02-02','returned'),
(7,3,3,'2024-02-01','2024-02-02','returned'),
(8,6,5,'2024-02-08',NULL,'lost'),
(9,9,2,'2024-02-12','2024-02-14','returned'),
(10,8,4,'2024-02-20','2024-02-27','returned'),
(11,5,6,'2024-03-01','2024-03-04','returned'),
(12,1,1,'2024-03-05',NULL,'ready'),
(13,7,1,'2024-03-07',NULL,'ready'),
(14,2,5,'2024-03-11',NULL,'in progress'),
(15,3,3,'2024-03-12',NULL,'in progress'),
(16,10,7,'2024-03-13',NULL,'in progress');
INSERT INTO OrderItem VALUES
(1,1,1,6,NULL),(2,1,2,1,0.1),
(3,2,3,140,0.2),(4,2,6,210,0.25),
(5,3,3,95,0.15),(6,3,8,12,0.1),
(7,4,1,4,NULL),
(8,5,4,38,0.1),
(9,6,7,1,NULL),(10,6,1,3,NULL),
(11,7,3,160,0.2),(12,7,6,185,0.25),
(13,8,9,1,NULL),
(14,9,4,17,0.05),
(15,10,5,5,NULL),(16,10,8,2,NULL),
(17,11,3,88,0.15),(18,11,4,24,0.1),
(19,12,2,2,NULL),
(20,13,4,45,0.12),
(21,14,1,9,0.05),
(22,15,6,230,0.3),
(23,16,8,1,NULL);
