-- Invitations, roles and memberships as a first version writes them: each function has a fault that no single call shows.
do $$
begin
    if not exists (select from pg_roles where rolname = 'mini_user') then
        create role mini_anonymous nologin;
        create role mini_user nologin;
        create role mini_service nologin bypassrls;
        create role mini_guard nologin bypassrls;
    end if;
end
$$;

create schema club;
create schema guard;
grant usage on schema club, guard to mini_user, mini_guard;

create table club.people (id uuid primary key, address text not null unique);
create table club.clubs (id uuid primary key, name text not null);
create table club.members (
    club_id uuid not null references club.clubs,
    person_id uuid not null references club.people,
    status text not null check (status in ('active', 'ended')),
    primary key (club_id, person_id)
);
create table club.roles (
    id int generated always as identity primary key,
    club_id uuid not null,
    person_id uuid not null references club.people,
    name text not null check (name in ('owner', 'admin')),
    granted_by uuid references club.people,
    revoked_at timestamptz,
    foreign key (club_id, person_id) references club.members (club_id, person_id) on delete cascade
);
create table club.invitations (
    token text primary key,
    club_id uuid not null references club.clubs,
    address text not null,
    role text,
    invited_by uuid references club.people
);
create table club.notes (id int primary key, club_id uuid not null references club.clubs, body text not null);

create function guard.me() returns uuid language sql stable set search_path = '' as $$
    select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
$$;
create function guard.club_ids() returns setof uuid language sql stable security definer set search_path = '' as $$
    select m.club_id from club.members as m where m.person_id = guard.me() and m.status = 'active'
$$;
-- An owner administers the club as an admin does.
create function guard.admin_club_ids() returns setof uuid language sql stable security definer set search_path = '' as $$
    select r.club_id
    from club.roles as r
    join club.members as m on m.club_id = r.club_id and m.person_id = r.person_id and m.status = 'active'
    where r.person_id = guard.me() and r.revoked_at is null
$$;
alter function guard.club_ids() owner to mini_guard;
alter function guard.admin_club_ids() owner to mini_guard;
grant select on club.members, club.roles to mini_guard;

create function club.assert_admin(club_id uuid) returns void language plpgsql stable set search_path = '' as $$
begin
    if not assert_admin.club_id in (select guard.admin_club_ids()) then
        raise exception 'permission denied' using errcode = 'insufficient_privilege';
    end if;
end
$$;
revoke execute on function club.assert_admin from public;

-- Fault: the inviter can be invited.
create function club.invite(club_id uuid, address text, role text) returns text
language plpgsql security definer set search_path = '' as $$
declare
    token text := md5(invite.address || invite.club_id);
begin
    perform club.assert_admin(invite.club_id);
    insert into club.invitations values (token, invite.club_id, invite.address, invite.role, guard.me());
    return token;
end
$$;
-- Fault: roles of an earlier membership take effect again.
create function club.accept(token text) returns void
language plpgsql security definer set search_path = '' as $$
declare
    invitation club.invitations;
begin
    select i.* into invitation
    from club.invitations as i
    join club.people as p on p.address = i.address
    where i.token = accept.token and p.id = guard.me();
    if not found then
        raise exception 'permission denied' using errcode = 'insufficient_privilege';
    end if;
    insert into club.members values (invitation.club_id, guard.me(), 'active')
    on conflict (club_id, person_id) do update set status = 'active';
    if invitation.role is not null then
        insert into club.roles (club_id, person_id, name, granted_by)
        values (invitation.club_id, guard.me(), invitation.role, invitation.invited_by);
    end if;
end
$$;
create function club.grant_admin(club_id uuid, person_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
    perform club.assert_admin(grant_admin.club_id);
    if grant_admin.person_id = guard.me() then
        raise exception 'permission denied' using errcode = 'insufficient_privilege';
    end if;
    insert into club.roles (club_id, person_id, name, granted_by)
    values (grant_admin.club_id, grant_admin.person_id, 'admin', guard.me());
end
$$;
-- Fault: an admin can revoke the role of an owner.
create function club.revoke(club_id uuid, person_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
    perform club.assert_admin(revoke.club_id);
    update club.roles as r
    set revoked_at = now()
    where r.club_id = revoke.club_id and r.person_id = revoke.person_id and r.person_id <> guard.me();
end
$$;
revoke execute on function club.invite, club.accept, club.grant_admin, club.revoke from public;
grant execute on function club.invite, club.accept, club.grant_admin, club.revoke to mini_user;

alter table club.people enable row level security;
alter table club.clubs enable row level security;
alter table club.members enable row level security;
alter table club.roles enable row level security;
alter table club.invitations enable row level security;
alter table club.notes enable row level security;
grant select on club.people, club.clubs, club.members, club.roles, club.notes to mini_user;
create policy people_select on club.people for select to mini_user using (id = (select guard.me()));
create policy clubs_select on club.clubs for select to mini_user using (id in (select guard.club_ids()));
create policy members_select on club.members for select to mini_user using (club_id in (select guard.club_ids()));
create policy roles_select on club.roles for select to mini_user using (club_id in (select guard.club_ids()));
create policy notes_select on club.notes for select to mini_user using (club_id in (select guard.club_ids()));
-- Fault: an admin can write an invitation in the name of another person.
grant select, insert on club.invitations to mini_user;
create policy invitations_select on club.invitations for select to mini_user
    using (club_id in (select guard.admin_club_ids()));
create policy invitations_insert on club.invitations for insert to mini_user
    with check (club_id in (select guard.admin_club_ids()));
