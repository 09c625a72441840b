"""Supabase's tokens: what a token says, who signed it, and what is remembered of both."""
