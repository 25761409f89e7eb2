-- A parcel locker network with stations, couriers and the parcels left for pickup.
CREATE TABLE stations (
  station_id INTEGER PRIMARY KEY,
  station_name TEXT NOT NULL,
  city TEXT,
  locker_count INTEGER,
  installed_on TEXT
);
CREATE TABLE couriers (
  courier_id INTEGER PRIMARY KEY,
  courier_name TEXT NOT NULL,
  vehicle TEXT,
  hired_year INTEGER
);
CREATE TABLE parcels (
  parcel_id INTEGER PRIMARY KEY,
  station_id INTEGER NOT NULL,
  courier_id INTEGER,
  size_class TEXT,
  weight_kg REAL,
  delivered_on TEXT,
  picked_up_on TEXT,
  status TEXT,
  FOREIGN KEY (station_id) REFERENCES stations(station_id),
  FOREIGN KEY (courier_id) REFERENCES couriers(courier_id)
);
INSERT INTO stations VALUES
(1,'Central Station','Tartu',64,'2018-05-02'),
(2,'Market Hall','Tartu',32,'2019-11-19'),
(3,'Mill Bridge','Parnu',24,'2020-06-15'),
(4,'Airport','Tallinn',80,'2017-03-28'),
(5,'Old Port','Tallinn',56,'2018-09-10'),
(6,'University','Tartu',48,'2021-01-21'),
(7,'Beach Road','Parnu',16,'2022-07-04'),
(8,'Lake Mall','Tallinn',72,'2021-10-30'),
(9,'Castle Hill','Narva',20,'2023-02-08'),
(10,'Border Square','Narva',28,NULL);
INSERT INTO couriers VALUES
(1,'Kadri Mets','van',2017),
(2,'Oleg Sidorov','van',2019),
(3,'Taavi Rand','cargo bike',2021),
(4,'Jelena Kask','van',2018),
(5,'Markus Saar','cargo bike',2022),
(6,'Anu Lepik','electric van',2020),
(7,'Roman Belov','electric van',2023),
(8,'Siim Kuusk','scooter',2024);
INSERT INTO parcels VALUES
(1,1,3,'S',0.4,'2024-03-01','2024-03-01','collected'),
(2,1,3,'M',2.1,'2024-03-01','2024-03-03','collected'),
(3,4,1,'L',11.8,'2024-03-01','2024-03-02','collected'),
(4,4,1,'S',0.7,'2024-03-02',NULL,'returned'),
(5,5,6,'M',3.6,'2024-03-02','2024-03-04','collected'),
(6,2,3,'S',1.2,'2024-03-03','2024-03-03','collected'),
(7,3,4,'L',9.3,'2024-03-03','2024-03-07','collected'),
(8,8,6,'XL',18.5,'2024-03-04','2024-03-04','collected'),
(9,8,2,'M',4.4,'2024-03-04','2024-03-06','collected'),
(10,6,5,'S',0.3,'2024-03-05','2024-03-05','collected'),
(11,7,4,'M',2.9,'2024-03-05',NULL,'returned'),
(12,5,6,'S',0.9,'2024-03-06','2024-03-09','collected'),
(13,1,5,'L',7.7,'2024-03-06','2024-03-08','collected'),
(14,9,7,'M',3.1,'2024-03-07','2024-03-10','collected'),
(15,4,2,'XL',22.4,'2024-03-08','2024-03-08','collected'),
(16,2,3,'M',1.8,'2024-03-08','2024-03-11','collected'),
(17,6,5,'S',0.5,'2024-03-09','2024-03-10','collected'),
(18,8,6,'L',13.2,'2024-03-09',NULL,'expired'),
(19,3,4,'S',1.1,'2024-03-10','2024-03-12','collected'),
(20,5,1,'L',10.6,'2024-03-10','2024-03-11','collected'),
(21,9,7,'S',0.6,'2024-03-11',NULL,'expired'),
(22,1,3,'M',2.6,'2024-03-12',NULL,'waiting'),
(23,4,1,'L',8.9,'2024-03-12',NULL,'waiting'),
(24,8,2,'S',NULL,'2024-03-13',NULL,'waiting'),
(25,6,NULL,'XL',16.7,NULL,NULL,'in transit');
