-- A dry cleaning chain: branches, customers, tickets and the garments on each ticket.
CREATE TABLE br (
  br_cd TEXT PRIMARY KEY,
  br_nm TEXT NOT NULL,
  town TEXT,
  open_yr INTEGER
);
CREATE TABLE cust (
  cust_no INTEGER PRIMARY KEY,
  cust_nm TEXT NOT NULL,
  cust_typ TEXT,
  reg_dt TEXT
);
CREATE TABLE svc (
  svc_cd TEXT PRIMARY KEY,
  svc_desc TEXT,
  unit_prc REAL,
  std_hrs INTEGER
);
CREATE TABLE tkt (
  tkt_no INTEGER PRIMARY KEY,
  cust_no INTEGER NOT NULL REFERENCES cust(cust_no),
  br_cd TEXT NOT NULL REFERENCES br(br_cd),
  in_dt TEXT,
  out_dt TEXT,
  pay_mth TEXT,
  disc_pct REAL
);
CREATE TABLE tkt_ln (
  tkt_no INTEGER NOT NULL REFERENCES tkt(tkt_no),
  ln_no INTEGER NOT NULL,
  svc_cd TEXT NOT NULL REFERENCES svc(svc_cd),
  garm TEXT,
  clr TEXT,
  qty INTEGER,
  PRIMARY KEY (tkt_no, ln_no)
);
INSERT INTO br VALUES
('MKT','Market Square','Wenlow',1978),
('STN','Station Road','Wenlow',1994),
('HAR','Harbourside','Pelby',2006),
('MAL','Mallgate','Ostley',2013),
('UNI','Campus','Ostley',2020);
INSERT INTO cust VALUES
(501,'Grace Tilby','private','2015-03-02'),
(502,'Hotel Bellevue','hotel','2011-06-20'),
(503,'Ned Carver','private','2019-10-11'),
(504,'Trattoria Nino','restaurant','2018-01-29'),
(505,'Mrs Ida Lamb','private','2003-09-15'),
(506,'Wenlow Players','theatre','2016-11-07'),
(507,'Ollie Frame','private','2022-02-14'),
(508,'Crown Inn','hotel','2014-08-05'),
(509,'Sunita Bose','private','2021-05-26'),
(510,'Pelby Opera','theatre','2023-07-18'),
(511,'Rhys Mabon','private',NULL);
INSERT INTO svc VALUES
('DC','dry clean',11.5,48),
('WP','wash and press',6.8,24),
('PR','press only',4.2,8),
('ST','stain removal',8.9,36),
('RP','repair',14.0,72),
('LE','leather care',32.5,120),
('WD','wedding dress care',95.0,168);
INSERT INTO tkt VALUES
(9001,501,'MKT','2024-01-05','2024-01-09','card',0),
(9002,502,'HAR','2024-01-05','2024-01-08','account',15),
(9003,503,'STN','2024-01-08','2024-01-10','cash',0),
(9004,504,'MKT','2024-01-11','2024-01-12','account',10),
(9005,505,'MKT','2024-01-15','2024-01-22','cash',5),
(9006,506,'STN','2024-01-19','2024-01-30','card',12.5),
(9007,507,'UNI','2024-01-23','2024-01-24','card',0),
(9008,502,'HAR','2024-01-26','2024-01-29','account',15),
(9009,508,'MAL','2024-02-01','2024-02-03','account',15),
(9010,501,'MKT','2024-02-06','2024-02-13','card',0),
(9011,509,'MAL','2024-02-09','2024-02-20','card',0),
(9012,503,'UNI','2024-02-12','2024-02-13','cash',0),
(9013,510,'HAR','2024-02-16',NULL,NULL,12.5),
(9014,504,'MKT','2024-02-22','2024-02-23','account',10);
INSERT INTO tkt_ln VALUES
(9001,1,'DC','coat','black',1),(9001,2,'PR','shirt','white',3),
(9002,1,'WP','sheet','white',40),(9002,2,'WP','towel','white',65),
(9003,1,'DC','suit','grey',2),
(9004,1,'WP','tablecloth','red',18),(9004,2,'ST','tablecloth','white',5),
(9005,1,'LE','jacket','brown',1),(9005,2,'RP','skirt','blue',1),
(9006,1,'DC','costume','red',14),(9006,2,'RP','costume','black',6),(9006,3,'PR','shirt','white',9),
(9007,1,'PR','shirt','blue',4),
(9008,1,'WP','sheet','white',52),
(9009,1,'WP','towel','grey',30),(9009,2,'DC','curtain','brown',8),
(9010,1,'DC','dress','blue',2),(9010,2,'ST','dress','red',1),
(9011,1,'WD','dress','white',1),
(9012,1,'WP','shirt','black',7),
(9013,1,'DC','costume','black',22),(9013,2,'LE','boots','brown',NULL),
(9014,1,'WP','tablecloth','white',25);
