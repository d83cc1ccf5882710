-- Writes the events of ${EVENTS} to files.
CREATE SERVER nexmark FOREIGN DATA WRAPPER stream OPTIONS (url 'datagen:nexmark');
CREATE SERVER events  FOREIGN DATA WRAPPER file   OPTIONS (url '${DATA}');
CREATE FOREIGN TABLE person  () SERVER nexmark OPTIONS (rows '${EVENTS}');
CREATE FOREIGN TABLE auction () SERVER nexmark OPTIONS (rows '${EVENTS}');
CREATE FOREIGN TABLE bid     () SERVER nexmark OPTIONS (rows '${EVENTS}');
CREATE FOREIGN TABLE persons  () SERVER events
    OPTIONS (path 'person/', format 'csv', header 'false', compression 'none');
CREATE FOREIGN TABLE auctions () SERVER events
    OPTIONS (path 'auction/', format 'csv', header 'false', compression 'none');
CREATE FOREIGN TABLE bids     () SERVER events
    OPTIONS (path 'bid/', format 'csv', header 'false', compression 'none');
INSERT INTO persons SELECT * FROM person;
INSERT INTO auctions SELECT * FROM auction;
INSERT INTO bids SELECT * FROM bid;
