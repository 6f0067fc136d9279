-- Rows as pg_dump writes them, few on a page.
-- migrate:up
create table app.copied (
  id int primary key,
  note text,
  done boolean not null default false,
  check (gate.row(case when done then 'batch' else 'copy' end, id))
) with (fillfactor = 10);
copy app.copied (id, note) from stdin;
1	row 1
2	row 2
3	row 3
4	row 4
5	row 5
6	row 6
7	row 7
8	row 8
9	row 9
10	row 10
11	row 11
12	row 12
13	row 13
14	row 14
15	row 15
16	row 16
17	row 17
18	row 18
19	row 19
20	row 20
21	row 21
22	row 22
23	row 23
24	row 24
25	row 25
26	row 26
27	row 27
28	row 28
29	row 29
30	row 30
31	row 31
32	row 32
33	row 33
34	row 34
35	row 35
36	row 36
37	row 37
38	row 38
39	row 39
40	row 40
41	row 41
42	row 42
43	row 43
44	row 44
45	row 45
46	row 46
47	row 47
48	row 48
49	row 49
50	row 50
\.

-- migrate:down
drop table app.copied;
