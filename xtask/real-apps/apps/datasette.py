# /// script
# dependencies = ["datasette==0.65.5", "httpx==0.28.1"]
# ///
"""Datasette over an SQLite file: pages, JSON, streamed CSV, SQL, and its own files."""

import re
import sqlite3
import sys

import httpx
from harness import run


def start(app):
    shop = sqlite3.connect(app.folder / "shop.db")
    shop.execute("create table customers (id integer primary key, name text, city text)")
    shop.execute("create table orders (id integer primary key, customer integer references customers(id), amount real)")
    shop.executemany("insert into customers (name, city) values (?, ?)", [(f"jane-{n}", "Bern") for n in range(2000)])
    shop.executemany("insert into orders (customer, amount) values (?, ?)", [(n % 2000 + 1, n / 7) for n in range(3000)])
    shop.execute("create table tags (tag text primary key)")
    shop.executemany("insert into tags values (?)", [("fragile",), ("ruthless",), ("50%/off",)])
    shop.commit()
    shop.close()
    app.start([sys.executable, "-m", "datasette", "serve", "shop.db", "--port", app.port, "--setting", "allow_csv_stream", "on"])


def drive(app):
    def page(path):
        response = client.get(path)
        kept = ("content-type", "link", "location", "cache-control", "access-control-allow-origin")
        text = re.sub(r"(?i)queries took [\d.]+ms|\"query_ms\": [\d.]+", "", response.text)
        return [response.status_code, {name: response.headers.get(name) for name in kept}, text]

    with httpx.Client(base_url=app.url, timeout=30) as client:
        yield "index", page("/")
        yield "database", page("/shop")
        yield "tables", [page(f"/shop/{table}") for table in ("customers", "orders", "tags")]
        yield "JSON", [page(f"/shop/{table}.json?_shape=array") for table in ("customers", "orders", "tags")]
        yield "rows", [page(f"/shop/customers/{number}") for number in range(1, 12)]
        yield "rows as JSON", [page(f"/shop/orders/{number}.json") for number in range(1, 12)]
        yield "row by text", [page(f"/shop/tags/{tag}") for tag in ("fragile", "ruthless", "50~25~2Foff")]
        yield "facets", page("/shop/orders?_facet=customer&_size=5")
        yield "next page", page("/shop/customers?_next=100&_sort=id")
        yield "CSV", page("/shop/customers.csv?_stream=on")
        yield "SQL", page("/shop.json?sql=select+count(*)+from+orders&_shape=array")
        yield "bad SQL", page("/shop?sql=select+*+from+nothing")
        yield "slow SQL", page("/shop.json?sql=with+recursive+c(x)+as+(select+1+union+all+select+x%2B1+from+c)+select+max(x)+from+c")
        yield "absent", page("/shop/nothing")
        yield "own pages", [page(f"/-/{name}.json") for name in ("metadata", "settings", "databases")]
        yield "own files", [page(path) for path in sorted(set(re.findall(r'/-/static[^"]+', client.get("/shop/orders").text)))]
        yield "download", client.get("/shop.db").content[:16].hex()


if __name__ == "__main__":
    run(start, drive, hidden=["jane", "fragile", "ruthless"])
