-- Breweries, the beers they make, the ingredients in them and the pubs that serve them.
CREATE TABLE brewery (id INTEGER PRIMARY KEY, name TEXT, city TEXT, country TEXT, founded INTEGER, output REAL);
CREATE TABLE beer (id INTEGER PRIMARY KEY, name TEXT, brewery_id INTEGER, style TEXT, strength REAL, bitterness INTEGER, FOREIGN KEY (brewery_id) REFERENCES brewery(id));
CREATE TABLE ingredient (id INTEGER PRIMARY KEY, name TEXT, kind TEXT, origin TEXT, price REAL);
CREATE TABLE recipe (beer_id INTEGER, ingredient_id INTEGER, kilos REAL, PRIMARY KEY (beer_id, ingredient_id), FOREIGN KEY (beer_id) REFERENCES beer(id), FOREIGN KEY (ingredient_id) REFERENCES ingredient(id));
CREATE TABLE pub (id INTEGER PRIMARY KEY, name TEXT, city TEXT, seats INTEGER);
CREATE TABLE tap (pub_id INTEGER, beer_id INTEGER, price REAL, since INTEGER, PRIMARY KEY (pub_id, beer_id), FOREIGN KEY (pub_id) REFERENCES pub(id), FOREIGN KEY (beer_id) REFERENCES beer(id));
INSERT INTO brewery VALUES
(1,'Stonebarrel','Leeds','England',1998,1240.5),(2,'Black Heron','Ghent','Belgium',1876,8650),(3,'Klosterhof','Bamberg','Germany',1742,5310),(4,'Tidewater','Bristol','England',2012,460.8),(5,'Saint Odile','Ghent','Belgium',1931,2975),(6,'Nordpumpe','Bremen','Germany',2016,385.2),(7,'Foxglove','Leeds','England',2019,NULL),(8,'Zlatna','Plzen','Czechia',1888,11200);
INSERT INTO beer VALUES
(1,'Barrel Bitter',1,'ale',4.2,34),(2,'Night Shift',1,'stout',6.1,45),(3,'Heron Tripel',2,'tripel',8.7,28),(4,'Heron Blond',2,'ale',6.4,22),(5,'Abbot Smoke',3,'lager',5.2,30),(6,'Advent Bock',3,'bock',7.5,27),(7,'Low Tide',4,'ale',3.6,38),(8,'Spring Tide',4,'ipa',5.8,61),(9,'Odile Rouge',5,'sour',5.5,12),(10,'Pumpen Pils',6,'lager',4.8,39),(11,'Deich IPA',6,'ipa',6.6,67),(12,'Zlatna 12',8,'lager',5,36),(13,'Zlatna Dark',8,'lager',4.4,NULL),(14,'Cold Harbour',4,'stout',5.1,42);
INSERT INTO ingredient VALUES
(1,'Pale malt','malt','England',0.95),(2,'Pilsner malt','malt','Germany',0.88),(3,'Roast barley','malt','England',1.4),(4,'Smoked malt','malt','Germany',1.75),(5,'Saaz','hop','Czechia',21.5),(6,'Fuggle','hop','England',18.2),(7,'Citra','hop','USA',34.6),(8,'Ale yeast','yeast',NULL,62),(9,'Lager yeast','yeast',NULL,71.5),(10,'Cherries','fruit','Belgium',4.3),(11,'Candi sugar','sugar','Belgium',2.6);
INSERT INTO recipe VALUES
(1,1,180),(1,6,2.4),(1,8,0.9),(2,1,210),(2,3,32.5),(2,8,1.1),(3,2,265),(3,11,28),(3,8,1.6),(4,2,205),(5,4,150),(5,9,1.2),(6,2,240),(6,9,1.5),(7,1,140),(7,6,1.8),(8,1,195),(8,7,5.6),(9,2,170),(9,10,64),(10,2,185),(10,5,3.1),(11,1,220),(11,7,7.2),(12,2,190),(12,5,3.8);
INSERT INTO pub VALUES
(1,'The Plough Horse','Leeds',64),(2,'Anchor Yard','Bristol',110),(3,'Grote Kelder','Ghent',48),(4,'Zum Roten Hahn','Bamberg',85),(5,'Dockside Tap','Bristol',36),(6,'Three Larks','Leeds',72),(7,'Hafenkrug','Bremen',95),(8,'The Snug','Leeds',22);
INSERT INTO tap VALUES
(1,1,3.9,2006),(1,2,4.4,2010),(1,7,4.1,2018),(2,7,4.2,2013),(2,8,5.1,2015),(2,3,5.8,2019),(3,3,4.7,1999),(3,4,4,2002),(3,9,4.9,2011),(4,5,3.6,1985),(4,6,4.3,1997),(5,8,5.3,2020),(5,14,4.8,2021),(6,1,4.05,2012),(6,12,4.6,2017),(7,10,3.8,2018),(7,11,5,2019),(7,12,4.45,NULL);
