-- Is there a relation of this name?
select to_regclass(%(name)s) is not null
