-- A port customs office: officers, importers, declarations of goods and the checks carried out.
CREATE TABLE importers (
  importer_id INTEGER PRIMARY KEY,
  importer_name TEXT NOT NULL,
  country TEXT,
  risk_level TEXT
);
CREATE TABLE officers (
  officer_id INTEGER PRIMARY KEY,
  full_name TEXT NOT NULL,
  grade TEXT,
  hired_on TEXT,
  supervisor_id INTEGER REFERENCES officers(officer_id)
);
CREATE TABLE goods_codes (
  goods_code TEXT PRIMARY KEY,
  description TEXT,
  duty_rate REAL
);
CREATE TABLE declarations (
  declaration_id INTEGER PRIMARY KEY,
  importer_id INTEGER NOT NULL REFERENCES importers(importer_id),
  goods_code TEXT NOT NULL REFERENCES goods_codes(goods_code),
  declared_on TEXT,
  origin_country TEXT,
  weight_kg REAL,
  declared_value REAL,
  status TEXT
);
CREATE TABLE checks (
  check_id INTEGER PRIMARY KEY,
  declaration_id INTEGER NOT NULL REFERENCES declarations(declaration_id),
  officer_id INTEGER NOT NULL REFERENCES officers(officer_id),
  check_type TEXT,
  minutes_spent INTEGER,
  fine_amount REAL
);
INSERT INTO importers VALUES
(1,'Halvorsen Trading','Norway','low'),
(2,'Blue Crate Ltd','Ireland','medium'),
(3,'Tessaro Foods','Italy','low'),
(4,'Kopp Maschinen','Germany','low'),
(5,'Sundarban Textiles','India','high'),
(6,'Eastgate Toys','Ireland','high'),
(7,'Vigo Pesca','Spain','medium'),
(8,'Altan Ceramics','Turkey','medium'),
(9,'Northern Bikes','Ireland','low');
INSERT INTO officers VALUES
(1,'Breda Mulvey','chief','1996-09-02',NULL),
(2,'Conor Tighe','senior','2004-03-15',1),
(3,'Aoife Lacey','senior','2009-11-23',1),
(4,'Mark Drennan','junior','2017-06-12',2),
(5,'Siobhan Fay','junior','2019-01-28',2),
(6,'Petr Vesely','junior','2021-08-09',3),
(7,'Donal Rush','senior','2012-05-21',1),
(8,'Ciara Noone','trainee','2023-10-16',7);
INSERT INTO goods_codes VALUES
('F101','frozen fish',7.5),
('F205','cheese',9.0),
('T310','cotton cloth',12.0),
('M420','machine parts',2.5),
('G515','toys',4.7),
('C622','ceramic tiles',6.0),
('B730','bicycles',14.0),
('W840','wine',NULL);
INSERT INTO declarations VALUES
(1,1,'F101','2024-01-04','Norway',18400,73500,'cleared'),
(2,3,'F205','2024-01-09','Italy',2150,31200,'cleared'),
(3,5,'T310','2024-01-11','India',9600,54800,'held'),
(4,6,'G515','2024-01-17','China',5230,41900,'cleared'),
(5,4,'M420','2024-01-22','Germany',3780,128400,'cleared'),
(6,8,'C622','2024-01-30','Turkey',26100,38700,'cleared'),
(7,9,'B730','2024-02-02','China',4410,96300,'held'),
(8,7,'F101','2024-02-06','Spain',12250,58100,'cleared'),
(9,3,'W840','2024-02-13','Italy',6870,44250,'cleared'),
(10,2,'G515','2024-02-15','China',3120,19800,'refused'),
(11,6,'G515','2024-02-21','India',1985,12650,'refused'),
(12,1,'F101','2024-02-27','Norway',20950,84200,'cleared'),
(13,5,'T310','2024-03-05','India',11300,67900,'cleared'),
(14,8,'C622','2024-03-12','Turkey',17640,NULL,'held'),
(15,2,'B730','2024-03-14','China',2890,61400,'cleared');
INSERT INTO checks VALUES
(1,1,4,'document',25,NULL),
(2,3,2,'physical',140,850),
(3,3,4,'document',40,NULL),
(4,4,5,'x-ray',35,NULL),
(5,4,6,'physical',95,320),
(6,6,3,'document',20,NULL),
(7,7,2,'x-ray',50,1200),
(8,7,7,'physical',180,460),
(9,8,5,'physical',75,NULL),
(10,10,3,'x-ray',45,2100),
(11,10,6,'document',55,NULL),
(12,11,7,'physical',125,1750),
(13,12,4,'document',15,NULL),
(14,13,2,'x-ray',60,NULL),
(15,14,6,'document',30,NULL),
(16,14,3,'physical',110,275),
(17,15,5,'x-ray',42,NULL);
