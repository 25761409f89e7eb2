-- A small chain of barbershops: shops, barbers, services, clients and appointments.
CREATE TABLE shop (id INTEGER PRIMARY KEY, name TEXT, district TEXT, opened INTEGER, chairs INTEGER);
CREATE TABLE barber (id INTEGER PRIMARY KEY, name TEXT, age INTEGER, rank TEXT, shop_id INTEGER, FOREIGN KEY (shop_id) REFERENCES shop(id));
CREATE TABLE service (id INTEGER PRIMARY KEY, name TEXT, minutes INTEGER, price REAL);
CREATE TABLE client (id INTEGER PRIMARY KEY, name TEXT, age INTEGER, favourite_id INTEGER, FOREIGN KEY (favourite_id) REFERENCES barber(id));
CREATE TABLE appointment (id INTEGER PRIMARY KEY, client_id INTEGER, barber_id INTEGER, service_id INTEGER, date TEXT, tip REAL, rating INTEGER, FOREIGN KEY (client_id) REFERENCES client(id), FOREIGN KEY (barber_id) REFERENCES barber(id), FOREIGN KEY (service_id) REFERENCES service(id));
INSERT INTO shop VALUES
(1,'Razor Lane','Old Town',2008,5),(2,'Crown and Comb','Riverside',2014,4),(3,'The Strop','Northgate',1996,3),(4,'Fade Factory','Riverside',2019,7),(5,'Parlour Nine','Old Town',2022,2),(6,'Gentry','Harbourside',2011,6),(7,'Blade Street','Northgate',2003,4),(8,'Short Notice','Harbourside',2017,8);
INSERT INTO barber VALUES
(1,'Sal Benedetti',57,'master',1),(2,'Wes Okoro',34,'senior',1),(3,'Jamie Tarn',22,'junior',1),(4,'Viktor Sands',45,'master',2),(5,'Leroy Banks',29,'senior',2),(6,'Dougal Frew',61,'master',3),(7,'Ana Pires',26,'junior',4),(8,'Mo Rahal',38,'senior',4),(9,'Curtis Bell',31,'senior',4),(10,'Finn Ollerton',19,'junior',NULL),(11,'Stefan Rusu',41,'master',6),(12,'Ibby Kane',36,'senior',7),(13,'Cole Devlin',24,'junior',6);
INSERT INTO service VALUES
(1,'Haircut',30,18.5),(2,'Skin fade',45,24),(3,'Beard trim',15,11),(4,'Hot shave',35,22.5),(5,'Cut and beard',50,28),(6,'Kids cut',20,12.5),(7,'Head massage',25,16),(8,'Colour',75,46);
INSERT INTO client VALUES
(1,'Gareth Noll',42,1),(2,'Pat Iversen',29,2),(3,'Dev Chandra',35,4),(4,'Hector Lamb',67,6),(5,'Theo Marsh',9,NULL),(6,'Ahmed Saleh',31,8),(7,'Rob Quinlan',53,1),(8,'Jules Perrin',24,9),(9,'Sven Aker',38,NULL),(10,'Ollie Crane',12,7),(11,'Kenji Mori',46,5),(12,'Bill Upton',71,6),(13,'Tomas Vidal',33,11),(14,'Nico Hale',18,NULL),(15,'Ralph Ament',59,12);
INSERT INTO appointment VALUES
(1,1,1,5,'2023-05-02',4,5),(2,1,1,1,'2023-06-06',2.5,5),(3,2,2,2,'2023-05-03',3,4),(4,2,3,2,'2023-06-14',0,2),(5,3,4,4,'2023-05-04',5.5,5),(6,3,4,5,'2023-06-20',6,5),(7,4,6,1,'2023-05-05',1,4),(8,5,3,6,'2023-05-06',NULL,4),(9,6,8,2,'2023-05-09',3.5,5),(10,6,9,2,'2023-06-01',2,3),(11,7,1,4,'2023-05-10',4.5,5),(12,7,2,1,'2023-06-22',1.5,3),(13,8,9,8,'2023-05-12',8,4),(14,8,9,1,'2023-06-27',NULL,NULL),(15,9,5,1,'2023-05-16',2,3),(16,10,7,6,'2023-05-19',1,5),(17,11,5,3,'2023-05-23',1.2,4),(18,11,4,7,'2023-06-29',3,5),(19,12,6,1,'2023-05-30',0.5,4),(20,12,6,4,'2023-07-03',2.8,5),(21,6,7,3,'2023-07-05',1,2),(22,13,11,4,'2023-05-11',4.2,5),(23,13,11,5,'2023-07-06',5,4),(24,14,13,2,'2023-05-25',0,3),(25,15,12,1,'2023-06-08',2.2,5),(26,15,11,3,'2023-07-11',1.8,4);
