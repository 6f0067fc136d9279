-- Set claims, settings and role of an actor until the end of the (sub)transaction.
create or replace function pg_temp.aigym_act_as(role text, claims text, settings jsonb)
returns void
language plpgsql as $act$
declare
    setting record;
begin
    perform set_config('request.jwt.claims', claims, true);
    for setting in select * from jsonb_each_text(settings) loop
        perform set_config(setting.key, setting.value, true);
    end loop;
    perform set_config('role', role, true);
end
$act$
