-- A sewing shop's fabrics, patterns, suppliers, customers and sales.
CREATE TABLE supp (
  supp_cd TEXT PRIMARY KEY,
  supp_nm TEXT NOT NULL,
  ctry TEXT,
  lead_dys INTEGER
);
CREATE TABLE fab (
  fab_no INTEGER PRIMARY KEY,
  fab_nm TEXT NOT NULL,
  fibre TEXT,
  colr TEXT,
  prc_m REAL,
  stk_m REAL,
  supp_cd TEXT REFERENCES supp(supp_cd)
);
CREATE TABLE patt (
  patt_no INTEGER PRIMARY KEY,
  patt_nm TEXT NOT NULL,
  garm TEXT,
  diff INTEGER,
  prc REAL,
  rec_fab INTEGER REFERENCES fab(fab_no)
);
CREATE TABLE cust (
  cust_no INTEGER PRIMARY KEY,
  fname TEXT,
  lname TEXT,
  reg_dt TEXT,
  loy_pts INTEGER
);
CREATE TABLE sale (
  sale_no INTEGER PRIMARY KEY,
  cust_no INTEGER REFERENCES cust(cust_no),
  fab_no INTEGER NOT NULL REFERENCES fab(fab_no),
  sale_dt TEXT,
  qty_m REAL,
  pay_cd TEXT
);
INSERT INTO supp VALUES
('BRD','Bradwell Mills','UK',6),('TXO','Texoro','Italy',14),('LNE','Lin de Nord','Belgium',11),
('KYO','Kyo Silk','Japan',32),('ALG','Algodon Sul','Portugal',17),('WVR','Weaver Bros','UK',4),
('MOD','Moda Lenci','Italy',19),('FLX','Flax House','Belgium',9);
INSERT INTO fab VALUES
(1,'Poplin','cotton','white',6.5,84.0,'BRD'),
(2,'Calico','cotton','natural',3.9,132.5,'WVR'),
(3,'Tweed','wool','brown',24.0,38.0,'BRD'),
(4,'Crepe','silk','black',31.5,19.4,'KYO'),
(5,'Denim','cotton','blue',11.2,66.0,'ALG'),
(6,'Linen Plain','linen','natural',17.8,47.5,'LNE'),
(7,'Flannel','wool','grey',21.6,29.0,'TXO'),
(8,'Satin','silk','red',36.0,12.8,'KYO'),
(9,'Fleece','polyester','blue',8.4,91.0,'WVR'),
(10,'Lining','polyester','black',4.6,158.0,'TXO'),
(11,'Corduroy','cotton','brown',13.7,0.0,'ALG'),
(12,'Linen Stripe','linen','blue',19.9,22.3,NULL);
INSERT INTO patt VALUES
(101,'Hazel','dress',3,12.5,6),(102,'Archie','shirt',4,14.0,1),(103,'Moss','skirt',1,8.5,5),
(104,'Vesper','dress',5,19.0,4),(105,'Porter','jacket',5,21.5,3),(106,'Lark','shirt',2,9.9,12),
(107,'Tilly','skirt',2,10.4,11),(108,'Rowan','jacket',4,17.8,7),(109,'Cub','hoodie',1,7.6,9),
(110,'Slate','trousers',3,13.2,NULL);
INSERT INTO cust VALUES
(1,'Agnes','Truman','2018-03-12',640),(2,'Bella','Roche','2019-07-01',215),
(3,'Cora','Whitby','2019-11-23',980),(4,'Derek','Munn','2020-02-08',75),
(5,'Elsa','Garland','2020-09-30',410),(6,'Flo','Benning','2021-01-16',130),
(7,'Grant','Osborne','2021-06-05',55),(8,'Hetta','Lyle','2022-04-19',330),
(9,'Imogen','Stark','2022-10-27',0),(10,'June','Abbot','2023-02-14',NULL);
INSERT INTO sale VALUES
(1,1,1,'2023-03-02',3.5,'card'),(2,1,10,'2023-03-02',2.0,'card'),(3,3,6,'2023-03-04',4.2,'cash'),
(4,2,5,'2023-03-09',1.8,'card'),(5,NULL,2,'2023-03-11',10.0,'cash'),(6,4,9,'2023-03-15',2.2,'card'),
(7,5,3,'2023-03-18',3.0,'card'),(8,5,10,'2023-03-18',3.2,'card'),(9,3,4,'2023-03-25',2.6,'vouch'),
(10,8,12,'2023-04-01',2.4,'card'),(11,6,2,'2023-04-03',5.5,'cash'),(12,3,8,'2023-04-08',1.5,'card'),
(13,1,5,'2023-04-12',2.8,'vouch'),(14,NULL,9,'2023-04-15',1.2,'cash'),(15,7,7,'2023-04-20',3.4,'card'),
(16,2,1,'2023-04-22',6.0,'card'),(17,5,6,'2023-04-29',3.8,'cash'),(18,8,1,'2023-05-06',2.1,'card'),
(19,3,3,'2023-05-13',4.5,'card'),(20,1,2,'2023-05-20',7.4,'cash');
